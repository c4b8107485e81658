// Where an encrypted file lies until it is sent. Browsers cannot send a stream over HTTP/1.1, and the length must be known
// before: a large one goes to a file of the browser's private disk, so that it is never in memory as a whole.

const FOLDER = 'gatehouse-uploads'
const SMALL_BYTES = 8 * 1024 * 1024
const ABANDONED_MS = 24 * 60 * 60_000

export class Spool {
  constructor(blob, remove = async () => {}) {
    this.blob = blob
    this.remove = remove
  }

  static async fill(records, size, signal) {
    const folder = size > SMALL_BYTES ? await privateFolder() : null
    return folder ? inFile(folder, records, signal) : inMemory(records, signal)
  }
}

const inMemory = async (records, signal) => {
  const parts = []
  for await (const record of records) {
    signal?.throwIfAborted()
    parts.push(record)
  }
  return new Spool(new Blob(parts))
}

/** What lies there is encrypted under the session's key. */
const inFile = async (folder, records, signal) => {
  await removeAbandoned(folder)
  const name = crypto.randomUUID()
  const handle = await folder.getFileHandle(name, { create: true })
  const remove = () => folder.removeEntry(name)
  try {
    await written(handle, records, signal)
    return new Spool(await handle.getFile(), remove)
  } catch (error) {
    await remove()
    throw error
  }
}

const written = async (handle, records, signal) => {
  const file = await handle.createWritable()
  try {
    for await (const record of records) {
      signal?.throwIfAborted()
      await file.write(record)
    }
  } catch (error) {
    await file.abort()
    throw error
  }
  await file.close()
}

/** Null where the browser has none, or none that can be written from a page. */
const privateFolder = async () => {
  if (!globalThis.FileSystemFileHandle?.prototype.createWritable) return null
  try {
    const root = await navigator.storage.getDirectory()
    return await root.getDirectoryHandle(FOLDER, { create: true })
  } catch {
    return null
  }
}

/** Of pages that were closed in the middle. */
const removeAbandoned = async (folder) => {
  for await (const [name, handle] of folder.entries()) {
    const { lastModified } = await handle.getFile()
    if (Date.now() - lastModified > ABANDONED_MS) await folder.removeEntry(name).catch(() => {})
  }
}
