// Where a session is kept between two visits. Browsers refuse storage in many ways: then it is kept in memory.

class MemoryStorage {
  #values = new Map()
  getItem(name) { return this.#values.get(name) ?? null }
  setItem(name, value) { this.#values.set(name, value) }
  removeItem(name) { this.#values.delete(name) }
}

/** `isShared`: whether other tabs see it. */
export class Store {
  constructor(place, name, { isShared }) {
    this.place = place
    this.name = name
    this.isShared = isShared
  }

  /** 'local', 'memory', or an object with getItem, setItem and removeItem, which may return promises. */
  static open(wanted, name) {
    if (typeof wanted === 'object') return new Store(wanted, name, { isShared: false })
    const local = wanted === 'local' ? usableLocalStorage(name) : null
    return new Store(local ?? new MemoryStorage(), name, { isShared: local !== null })
  }

  /** What was kept, or null. What cannot be read counts as nothing. */
  async read() {
    try {
      return JSON.parse(await this.place.getItem(this.name))
    } catch {
      return null
    }
  }

  async write(record) {
    await this.place.setItem(this.name, JSON.stringify(record))
  }

  async remove() {
    await this.place.removeItem(this.name)
  }
}

const usableLocalStorage = (name) => {
  try {
    const place = globalThis.localStorage // the property itself may throw
    place.setItem(`${name}?`, '')
    place.removeItem(`${name}?`)
    return place
  } catch {
    return null
  }
}
