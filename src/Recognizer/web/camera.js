/* A picture from the camera. It is asked for when the dialog opens and let go when it closes. */
import { $ } from "./dom.js";
import { Problem } from "./problem.js";

const [dialog, video] = ["camera", "video"].map($);

/** Whether there is one; what it is called, nobody is told before they allow it. */
export const hasCamera = async () =>
  Boolean(navigator.mediaDevices?.getUserMedia) &&
  (await navigator.mediaDevices.enumerateDevices()).some(({ kind }) => kind === "videoinput");

/** A JPEG of what the camera sees once the button is pressed; null where the dialog was closed. */
export async function takePicture() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1920 } } });
  } catch {
    throw new Problem("The browser does not hand over a camera. Allow it for this page, or choose a file.", { title: "No camera" });
  }
  video.srcObject = stream;
  dialog.returnValue = "";
  dialog.showModal();
  try {
    await video.play();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    if (dialog.returnValue !== "take") return null;
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    canvas.getContext("2d").drawImage(video, 0, 0);
    return await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}
