// Sends a video to the server.

import { sentence, tokenQuery } from "./connection.js";

export class UploadError extends Error {}

/**
 * @param progress called with the share that has been sent, 0 to 1.
 * @returns the id by which the server knows the video.
 * @throws UploadError with a message for the visitor.
 */
export function upload(file: File, mostBytes: number, progress: (share: number) => void): Promise<string> {
  if (file.size > mostBytes) {
    const most = Math.floor(mostBytes / 2 ** 20);
    return Promise.reject(new UploadError(`This video is larger than ${most} MiB, the most that the server takes.`));
  }
  return new Promise((done, failed) => {
    const form = new FormData();
    form.append("file", file);
    // Unlike fetch, it tells how much has been sent.
    const request = new XMLHttpRequest();
    request.open("POST", `/upload${tokenQuery()}`);
    request.responseType = "json";
    request.upload.onprogress = (event) => progress(event.total ? event.loaded / event.total : 0);
    request.onerror = () => failed(new UploadError("The upload broke off. Check the connection and try again."));
    request.onload = () => {
      const answer = request.response as { id?: string; detail?: string } | null;
      if (request.status === 200 && answer?.id) done(answer.id);
      else failed(new UploadError(sentence(answer?.detail ?? "the server did not take the video")));
    };
    request.send(form);
  });
}
