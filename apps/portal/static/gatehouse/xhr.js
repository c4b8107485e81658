// Sending a Blob with XMLHttpRequest: browsers read it piece by piece and tell how far they are, over HTTP/1.1 too.

import { unreachable } from './errors.js'

/** Resolves to what has the shape of a Response, as far as `wholeAnswer` (transport.js) needs it. */
export const putByXhr = ({ url, headers, body, withCredentials, onProgress, signal }) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const request = new XMLHttpRequest()
    const stop = () => request.abort()
    signal?.addEventListener('abort', stop)
    request.open('PUT', url)
    request.withCredentials = withCredentials
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.upload.onprogress = ({ loaded, total }) => onProgress?.({ loaded, total })
    request.onload = () => resolve(answerOf(request))
    request.onerror = () => reject(unreachable())
    request.onabort = () => reject(signal.reason)
    request.onloadend = () => signal?.removeEventListener('abort', stop)
    request.send(body)
  })

const answerOf = (request) => ({
  status: request.status,
  headers: { get: (name) => request.getResponseHeader(name) },
  text: async () => request.responseText,
})
