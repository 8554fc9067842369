// Photos on their way in: dropped, pasted, chosen, or taken with the camera. Files alone: no address is ever opened.

export function takeFiles(add) {
  const page = document.documentElement;
  addEventListener("dragover", event => {
    event.preventDefault();
    page.classList.add("dropping");
  });
  addEventListener("dragleave", event => {
    if (!event.relatedTarget) page.classList.remove("dropping");
  });
  addEventListener("drop", event => {
    event.preventDefault();
    page.classList.remove("dropping");
    add([...event.dataTransfer.files]);
  });
  addEventListener("paste", event => add([...event.clipboardData.files]));
  const chosen = document.querySelector("#files");
  chosen.addEventListener("change", () => {
    add([...chosen.files]);
    chosen.value = "";
  });
}

export function takeFromCamera(add, fail) {
  const button = document.querySelector("#camera");
  const dialog = document.querySelector("#camera-dialog");
  const video = dialog.querySelector("video");
  let count = 0;
  button.hidden = !navigator.mediaDevices?.getUserMedia;
  button.addEventListener("click", async () => {
    try {
      const size = { width: { ideal: 4096 }, height: { ideal: 2160 } };
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: size });
      dialog.showModal();
    } catch {
      fail();
    }
  });
  dialog.addEventListener("close", () => {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
  });
  dialog.querySelector("#cancel").addEventListener("click", () => dialog.close());
  dialog.querySelector("#shoot").addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d").drawImage(video, 0, 0);
    dialog.close();
    canvas.toBlob(blob => add([new File([blob], `camera-${++count}.jpg`, { type: blob.type })]), "image/jpeg", 0.95);
  });
}
