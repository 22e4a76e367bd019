-- grain:  the kept transfers once more, in their order, under the keys of the books
INSERT INTO transfer SELECT * FROM floor.source;
