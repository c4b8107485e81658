// What the tabs of one app tell one another, and what only one of them may do at a time.

const LONGEST_WAIT_MS = 20_000 // longer than a refresh can take (renewal.js)

export class Tabs {
  #channel = null
  #hear

  /** `isShared`: whether the tabs have a session in common. If not, there is nothing to tell and nothing to wait for. */
  constructor(name, { isShared, hear, wake }) {
    this.name = name
    this.isShared = isShared
    this.#hear = hear
    if (!isShared) return
    this.#open()
    globalThis.addEventListener?.('pagehide', this.#close)
    globalThis.addEventListener?.('pageshow', this.#reopen)
    this.wake = wake
  }

  tell(message) {
    if (!this.isShared) return
    this.#channel?.postMessage(message)
    if (!globalThis.BroadcastChannel) tellByStorage(this.name, message)
  }

  /**
   * Work that one tab does at a time. A tab that has hung does not stop the others for ever: after a while they go on,
   * without taking its lock away (its work would go on unseen).
   */
  async alone(work) {
    if (!this.isShared || !globalThis.navigator?.locks) return work()
    let begun = false
    const waiting = new AbortController()
    const timer = setTimeout(() => waiting.abort(), LONGEST_WAIT_MS)
    try {
      return await navigator.locks.request(this.name, { signal: waiting.signal }, () => {
        begun = true
        clearTimeout(timer)
        return work()
      })
    } catch (error) {
      if (begun) throw error
      return work()
    } finally {
      clearTimeout(timer)
    }
  }

  close() {
    this.#close()
    globalThis.removeEventListener?.('pagehide', this.#close)
    globalThis.removeEventListener?.('pageshow', this.#reopen)
  }

  #open() {
    if (globalThis.BroadcastChannel) {
      this.#channel = new BroadcastChannel(this.name)
      this.#channel.onmessage = ({ data }) => this.#hear(data)
      this.#channel.unref?.() // Node would wait for messages for ever
    } else {
      globalThis.addEventListener?.('storage', this.#hearStorage)
    }
  }

  /** An open channel keeps a page out of the cache for going back and forward. */
  #close = () => {
    this.#channel?.close()
    this.#channel = null
    globalThis.removeEventListener?.('storage', this.#hearStorage)
  }

  #reopen = ({ persisted }) => {
    if (!persisted) return
    this.#open()
    this.wake() // nothing was heard meanwhile
  }

  #hearStorage = ({ key, newValue }) => {
    if (key === messageName(this.name) && newValue) this.#hear(JSON.parse(newValue).message)
  }
}

const messageName = (name) => `${name} message`

/** For browsers without BroadcastChannel: what is written is heard by the other tabs, if it is not what was there before. */
const tellByStorage = (name, message) => {
  try {
    globalThis.localStorage.setItem(messageName(name), JSON.stringify({ message, number: crypto.randomUUID() }))
  } catch {
    // No storage, no other tabs that share anything.
  }
}
