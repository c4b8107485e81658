// Files: encrypted on their way up and down, in a stream, with progress, to be cancelled at any time.

import { boundPath } from './envelope.js'
import { contentLength, decryption, encryptedRecords } from './file_stream.js'
import { given } from './sign_in.js'
import { Spool } from './spool.js'
import { openedDocument, wholeAnswer } from './transport.js'

const FILES = '/api/files'
const CODING = { 'Content-Encoding': 'aes128gcm' }

/** `core`: what gatehouse.js puts together. */
export class Files {
  constructor(core) {
    this.core = core
  }

  list({ cursor, limit, signal } = {}) {
    return this.core.calls.document(`${FILES}?${new URLSearchParams(given({ cursor, limit }))}`, { signal })
  }

  about(id, { signal } = {}) {
    return this.core.calls.document(pathOf(id), { signal })
  }

  remove(id, { signal } = {}) {
    return this.core.calls.document(pathOf(id), { method: 'DELETE', signal })
  }

  /** Announces the file, sends its content, and says how the service has it. What fails or is cancelled leaves nothing. */
  async upload(blob, { name = blob.name ?? 'file', purpose = 'file', onProgress, signal } = {}) {
    const announced = { name, purpose, size: blob.size }
    const file = await this.core.calls.document(FILES, { method: 'POST', json: announced, signal })
    try {
      return await this.core.calls.perform((session) => this.#sent(session, file.id, blob, { onProgress, signal }), { signal })
    } catch (error) {
      await this.remove(file.id).catch(() => {}) // the service removes by itself what never came whole
      throw error
    }
  }

  async #sent(session, id, blob, { onProgress, signal }) {
    const path = `${pathOf(id)}/content`
    const target = boundPath(this.core.transport.urlOf(path))
    const records = encryptedRecords(blob, await session.keys.fileMaterial('PUT', target), session.keys.kid)
    const spool = await Spool.fill(records, blob.size, signal)
    try {
      const options = { headers: { ...session.headers, ...CODING }, body: spool.blob, onProgress, signal }
      return await openedDocument(await this.core.transport.put(path, options), session.keys, 'PUT', target)
    } finally {
      await spool.remove()
    }
  }

  /**
   * The content, decrypted: into `to` (a WritableStream) or, without one, as a Blob. Memory does not grow with what goes into
   * a stream. If it breaks, `to` is aborted: nothing that was written counts before this has returned.
   */
  download(id, { to, onProgress, signal } = {}) {
    const options = { onProgress, signal }
    return this.core.calls.perform(async (session) => {
      const content = await this.#content(session, id, options)
      return to ? content.pipeTo(to, { signal }) : new Response(content).blob()
    }, { mayRepeat: !to, signal })
  }

  async #content(session, id, { onProgress, signal }) {
    const path = `${pathOf(id)}/content`
    const target = boundPath(this.core.transport.urlOf(path))
    const answer = await this.core.transport.stream('GET', path, { headers: session.headers, signal })
    if (!answer.ok) await openedDocument(await wholeAnswer(answer), session.keys, 'GET', target) // throws
    const material = await session.keys.fileMaterial('GET', target)
    const total = totalOf(answer, session.keys.kid)
    return answer.body.pipeThrough(decryption(material, session.keys.kid)).pipeThrough(counting(onProgress, total))
  }
}

const pathOf = (id) => `${FILES}/${encodeURIComponent(id)}`

const totalOf = (answer, keyid) => {
  const length = answer.headers.get('Content-Length')
  return length === null ? undefined : contentLength(Number(length), keyid)
}

const counting = (onProgress, total) => {
  let loaded = 0
  return new TransformStream({
    transform(chunk, controller) {
      loaded += chunk.length
      onProgress?.({ loaded, total })
      controller.enqueue(chunk)
    },
  })
}
