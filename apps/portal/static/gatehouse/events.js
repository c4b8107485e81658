// Events for the app. A listener is called later, and never while something is under way: it may call whatever it likes.

export class Events {
  #listeners = new Map()

  on(type, listener) {
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners.add(listener))
    return () => { listeners.delete(listener) }
  }

  emit(type, detail) {
    for (const listener of this.#listeners.get(type) ?? []) queueMicrotask(() => listener(detail))
  }
}
