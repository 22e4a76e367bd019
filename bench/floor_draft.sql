-- grain:  the kept lines once more, in their order, under the keys of a draft
INSERT INTO draft_line SELECT * FROM floor.source;
