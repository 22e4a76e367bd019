// Every page works without this file. It adds: files dropped onto a field, how far an upload has come, and how long
// a settlement has been at work.
"use strict";

for (const drop of document.querySelectorAll(".drop")) {
  const input = drop.querySelector("input[type=file]");
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  for (const name of ["dragleave", "drop"]) {
    drop.addEventListener(name, () => drop.classList.remove("over"));
  }
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; }
  });
}

for (const form of document.querySelectorAll("form[data-progress]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const bar = document.createElement("progress"), words = document.createElement("p");
    bar.max = 100;
    words.setAttribute("role", "status");
    form.append(words, bar);
    for (const button of form.querySelectorAll("button")) { button.disabled = true; }
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (step) => {
      if (step.lengthComputable) { bar.value = 100 * step.loaded / step.total; }
      words.textContent = bar.value < 100 ? `已上传 ${Math.floor(bar.value)}%` : "上传完毕，正在检查……";
    });
    request.addEventListener("load", () => {
      if (request.status < 400) { history.replaceState(null, "", request.responseURL); }
      document.open();
      document.write(request.responseText);
      document.close();
    });
    request.addEventListener("error", () => {
      words.textContent = "上传中断，请检查网络后重试。";
      bar.remove();
      for (const button of form.querySelectorAll("button")) { button.disabled = false; }
    });
    request.open("POST", form.action);
    request.send(new FormData(form));
  });
}

// What takes long says so, with the seconds it has taken, and cannot be sent twice by impatience.
for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", () => {
    const words = document.createElement("p"), began = Date.now();
    words.setAttribute("role", "status");
    words.textContent = `${form.dataset.busy}……`;
    form.append(words);
    setInterval(() => {
      words.textContent = `${form.dataset.busy}，已用 ${Math.round((Date.now() - began) / 1000)} 秒……`;
    }, 1000);
    for (const button of form.querySelectorAll("button")) { button.disabled = true; }
  });
}
window.addEventListener("pageshow", (event) => { if (event.persisted) { location.reload(); } });

document.getElementById("fault")?.focus();
