// Requests to the server that this page comes from, and to no other.

const RETRIES = 5;

export class Problem extends Error {
  constructor(problem) {
    super(problem.detail ?? "");
    this.kind = (problem.type ?? "").replace("urn:symface:", "") || "unknown";
  }
}

// Send a photo, which is then kept until the page leaves, and learn where its faces are.
export async function keep(photo) {
  const form = new FormData();
  form.append("photo", photo.file, photo.name);
  const answer = await send("/api/photos", { method: "POST", body: form });
  photo.info = await answer.json();
  photo.key = photo.info.key;
}

// The photo itself, as it is seen on a screen.
export async function look(photo, screen) {
  return (await ask(photo, `?screen=${screen}`, {})).blob();
}

// What an action makes of a kept photo: a file with its name, and notes.
export async function act(photo, action, fields) {
  const body = new URLSearchParams(fields);
  const answer = await ask(photo, `/${action}`, { method: "POST", body });
  const name = /filename\*=UTF-8''(.+)$/.exec(answer.headers.get("Content-Disposition") ?? "");
  const notes = JSON.parse(decodeURIComponent(answer.headers.get("Symface-Notes") ?? "[]"));
  return { blob: await answer.blob(), name: name ? decodeURIComponent(name[1]) : photo.name, notes };
}

// Ask about a photo; one that was dropped meanwhile is sent again.
async function ask(photo, rest, options) {
  try {
    return await send(`/api/photos/${photo.key}${rest}`, options);
  } catch (problem) {
    if (problem.kind !== "gone") throw problem;
    const faces = photo.info;
    await keep(photo);
    photo.info = { ...faces, key: photo.key };
    return send(`/api/photos/${photo.key}${rest}`, options);
  }
}

async function send(path, options) {
  for (let count = 0; ; count++) {
    const answer = await fetch(path, options).catch(() => { throw new Problem({ type: "urn:symface:away" }); });
    if (answer.ok) return answer;
    const retry = Number(answer.headers.get("Retry-After"));
    if (answer.status !== 503 || !retry || count === RETRIES) {
      throw new Problem(await answer.json().catch(() => ({})));
    }
    await new Promise(done => setTimeout(done, 1000 * retry));
  }
}

// Drop photos; also while the page is left.
export function forget(photos) {
  for (const { key } of photos) {
    if (key) fetch(`/api/photos/${key}`, { method: "DELETE", keepalive: true }).catch(() => {});
  }
}
