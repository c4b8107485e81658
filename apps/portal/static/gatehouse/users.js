// Who is signed in, as far as this page knows.

const REMEMBERED_MS = 5 * 60_000

/** What may be shown of a user whom nobody has verified: no role, no permissions. */
export const displayed = ({ id, email, name, customer_id }) => ({ id, email, name, customer_id })

/** The user as the service last told it, for five minutes. */
export class KnownUser {
  #user = null
  #since = 0

  note(user) {
    this.#user = Object.freeze({ ...user, permissions: Object.freeze([...user.permissions]) })
    this.#since = Date.now()
  }

  forget() {
    this.#user = null
  }

  get user() {
    const age = Date.now() - this.#since
    return this.#user && age >= 0 && age < REMEMBERED_MS ? this.#user : null
  }
}
