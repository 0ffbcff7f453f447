/* Objects blurred or cut out on a canvas, as the service does it: what is left of a blurred one is a handful of averages. */

const CELLS = 8; // averages along the longer side of a box
const MARGIN = 0.1; // detectors cut close

/** Covers each object on the canvas, which lies over the picture; the coarser of two that overlap lies on top. Returns it. */
export function blur(canvas, picture, detections, [width, height]) {
  [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  const context = canvas.getContext("2d");
  const small = new OffscreenCanvas(1, 1);
  const [scaleX, scaleY] = [canvas.width / width, canvas.height / height];
  const areas = detections.map(({ box: { xmin, ymin, xmax, ymax } }) => {
    const [marginX, marginY] = [Math.round(MARGIN * (xmax - xmin)) + 1, Math.round(MARGIN * (ymax - ymin)) + 1];
    const [left, top] = [Math.max(0, xmin - marginX) * scaleX, Math.max(0, ymin - marginY) * scaleY];
    const [right, bottom] = [Math.min(width, xmax + marginX) * scaleX, Math.min(height, ymax + marginY) * scaleY];
    return [left, top, Math.max(right - left, 1), Math.max(bottom - top, 1)];
  });
  areas.sort((a, b) => Math.max(a[2], a[3]) - Math.max(b[2], b[3]));
  for (const [left, top, wide, high] of areas) {
    const scale = CELLS / Math.max(wide, high);
    [small.width, small.height] = [Math.max(1, Math.round(wide * scale)), Math.max(1, Math.round(high * scale))];
    const averaging = small.getContext("2d");
    averaging.imageSmoothingQuality = "high";
    averaging.drawImage(picture, left, top, wide, high, 0, 0, small.width, small.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(small, 0, 0, small.width, small.height, left, top, wide, high);
  }
  return canvas;
}

/** Shows one object alone, in the middle of the canvas; of layers that lie over each other, a picture and what covers it. */
export function cutOut(canvas, layers, detection, [width, height]) {
  [canvas.width, canvas.height] = [layers[0].naturalWidth, layers[0].naturalHeight];
  const [scaleX, scaleY] = [canvas.width / width, canvas.height / height];
  const { xmin, ymin, xmax, ymax } = detection.box;
  const [wide, high] = [Math.max(1, (xmax - xmin) * scaleX), Math.max(1, (ymax - ymin) * scaleY)];
  const scale = Math.min(canvas.width / wide, canvas.height / high);
  const [left, top] = [(canvas.width - wide * scale) / 2, (canvas.height - high * scale) / 2];
  const context = canvas.getContext("2d");
  for (const layer of layers) context.drawImage(layer, xmin * scaleX, ymin * scaleY, wide, high, left, top, wide * scale, high * scale);
}
