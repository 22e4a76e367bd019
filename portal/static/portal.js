// Every page works without this file. It adds: files dropped onto a field, and how far an upload has come.
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

document.getElementById("fault")?.focus();
