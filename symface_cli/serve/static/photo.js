// A photo of the page: its file, what the server knows of it, and its faces as they are chosen and corrected.

const EYES_APART = 0.12;  // of the shorter side, of a face that is marked by hand before its eyes are moved

export class Photo {
  constructor(file) {
    this.file = file;
    this.name = file.name || "photo";
    this.faces = [];
    this.active = null;
  }

  // Take the faces as they were found.
  reset() {
    this.faces = this.info.faces.map(face => ({
      number: face.number,
      label: face.number,
      box: face.box,
      eyes: copy(face.eyes),
      midline: copy(face.midline),
      chosen: true,
    }));
    this.active = this.faces[0] ?? null;
  }

  // Add a face that was not found; its eyes lie in the middle until they are moved.
  addFace() {
    const { width, height } = this.info;
    const apart = EYES_APART * Math.min(width, height);
    const eyes = [-1, 1].map(side => [width / 2 + side * apart, height / 2]);
    this.active = { number: null, label: this.faces.length + 1, eyes, midline: null, eyesMoved: true, chosen: true };
    this.faces.push(this.active);
  }

  // Faces as the server understands them: the chosen ones, or the given one.
  marks(faces = this.faces.filter(face => face.chosen)) {
    return JSON.stringify(faces.map(face => ({
      ...(face.number && { number: face.number }),
      ...(face.eyesMoved && { eyes: face.eyes.flat() }),
      ...(face.midlineMoved && face.midline && { midline: face.midline.flat() }),
    })));
  }

  // Let go of pictures.
  close() {
    for (const address of [this.before, this.after]) if (address) URL.revokeObjectURL(address);
  }
}

function copy(points) {
  return points.map(point => [...point]);
}
