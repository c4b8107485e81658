/** Gatehouse in the browser. docs/browser.md shows how to use it. */

import type {
  User, Profile, Restored, Method, SignInAnswer, Sent, Message, Credential, AppEnrolment, PhoneEnrolment,
  Confirmed, Passkey, Factors, Proof, Page, PageOptions, Device, Progress, FileDescription,
} from './answers.js'

export type * from './answers.js'

export declare function createGatehouse(options: GatehouseOptions): Gatehouse

export interface GatehouseOptions {
  /** Where the service is, without a path: `https://auth.example.com`. */
  url: string
  /** The customer's, with the scope `auth` alone. Without one, the default customer is meant. */
  apiKey?: string
  /** `body` (the default): this page holds the tokens. `cookie`: they are in cookies that no script can read. */
  delivery?: 'body' | 'cookie'
  /** Where the session is kept between two visits: `local` (the default), `memory`, or a place of your own. */
  storage?: 'local' | 'memory' | SessionStorage
  /** A call needs a fresh proof. Have the user give it, by `reauthenticate`; when this has returned, the call is sent again. */
  onReauthenticate?: (asked: { maxAge: number }) => void | Promise<void>
  /** In the place of the global one, as for tests. Uploads in browsers go by XMLHttpRequest all the same. */
  fetch?: typeof globalThis.fetch
}

/** Like localStorage. Its methods may return promises. Only one page at a time may use the session that it keeps. */
export interface SessionStorage {
  getItem(name: string): string | null | Promise<string | null>
  setItem(name: string, value: string): void | Promise<void>
  removeItem(name: string): void | Promise<void>
}

export interface Cancellable {
  /** Ends the call, which throws the signal's reason. */
  signal?: AbortSignal
}

/** Whatever is not a success. */
export declare class GatehouseError extends Error {
  readonly name: 'GatehouseError'
  /** Of HTTP; 0 if no answer came. */
  readonly status: number
  readonly type: ErrorType
  /** With `validation_error`: messages for each field. */
  readonly fields?: Readonly<Record<string, readonly string[]>>
  /** With 429: which limit it was. */
  readonly limit?: string
  /** Seconds until it is worth trying again. */
  readonly retryAfter?: number
  /** Names the request in the service's logs. */
  readonly requestId?: string
  /** With `insufficient_user_authentication`: how old a proof may be, in seconds. */
  readonly maxAge?: number
  /** When the service refused, by its clock. */
  readonly timestamp?: string
}

/** The module's own types, and those of the service (docs/clients.md). */
export type ErrorType =
  | 'network_error' | 'timeout' | 'not_signed_in' | 'session_changed' | 'unreadable_answer' | 'unexpected_answer'
  | 'passkeys_unsupported'
  | (string & {})

export interface Events {
  /** What is known of the user: from a sign-in, from the service, or null after the end of the session. */
  user: { readonly user: User | null; readonly verified: true }
  /** `here: false`: in another tab. Ask `restore()` who it is. */
  'signed-in': { readonly user: User | null; readonly here: boolean }
  /** `reason`: `logout`, `erased`, `elsewhere` (another tab), or the type of the service's refusal. */
  'signed-out': { readonly reason: string; readonly here: boolean }
  /** The page was taken out of the browser's cache for going back: ask `restore()` who is signed in now. */
  woken: Readonly<Record<string, never>>
}

export interface FetchOptions extends Cancellable {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** The document to send, encrypted. */
  json?: unknown
  headers?: Readonly<Record<string, string>>
}

export interface Gatehouse {
  // --- The ways in ---
  requestCode(email: string, options?: Cancellable & { purpose?: string; locale?: string }): Promise<Sent>
  verifyCode(email: string, code: string, options?: Cancellable): Promise<SignInAnswer>
  login(email: string, password: string, options?: Cancellable): Promise<SignInAnswer>
  signInWithPasskey(options?: Cancellable): Promise<SignInAnswer>
  /** Offers passkeys in a field with autocomplete="username webauthn". Null if nobody chose one. */
  signInWithPasskeyFromAutofill(options?: Cancellable): Promise<SignInAnswer | null>
  readonly secondFactor: {
    /** Have a code sent. */
    send(given: Cancellable & { session_token: string; method: 'email' | 'sms' }): Promise<Sent>
    /** For `passkey` the browser's form opens. */
    verify(given: Cancellable & {
      session_token: string; method: Method; code?: string; credential?: Credential
    }): Promise<SignInAnswer>
    /** Begins what `verify` confirms. A passkey is confirmed at once. */
    enrol(given: Cancellable & { session_token: string; method: 'totp' }): Promise<AppEnrolment>
    enrol(given: Cancellable & { session_token: string; method: 'sms'; phone: string }): Promise<PhoneEnrolment>
    enrol(given: Cancellable & { session_token: string; method: 'passkey' }): Promise<SignInAnswer>
  }
  register(fields: Cancellable & {
    email: string; password: string; name?: string; phone?: string; locale?: string
  }): Promise<Sent & { readonly user: { readonly email: string; readonly name: string; readonly status: string } }>
  verifyEmail(fields: Cancellable & { email: string; otp: string; password?: string }): Promise<Message & {
    readonly user: { readonly email: string; readonly name: string; readonly status: string }
    readonly password_set: boolean
  }>
  forgotPassword(email: string, options?: Cancellable): Promise<Message>
  resetPassword(token: string, password: string, options?: Cancellable): Promise<Message>
  undoEmailChange(token: string, options?: Cancellable): Promise<Message>

  // --- Who is signed in ---
  /** First whom the stored token claims (if there is one), then whom the service knows. */
  restore(): AsyncGenerator<Restored, void, void>
  /** The user as the service has told it in the last five minutes, or tells it now. Null if nobody is signed in. */
  user(): Promise<User | null>
  /** Whether the service has said, in the last five minutes, that the user may. Never by a token that only claims it. */
  can(permission: string): boolean
  /** For your own servers. Throws TypeError with delivery `cookie`. */
  accessToken(): Promise<string>
  logout(options?: Cancellable): Promise<void>
  on<Type extends keyof Events>(type: Type, listener: (detail: Events[Type]) => void): () => void
  /** Stops listening to other tabs. */
  close(): void

  // --- Calls ---
  /** The document of the answer, null if it has none. */
  fetch<Answer = unknown>(path: string, options?: FetchOptions): Promise<Answer>
  /** `purpose` is `identity_document` or a word of your own (`a-z`, `0-9`, `_`); without one, `file`. */
  upload(content: Blob, options?: Cancellable & {
    name?: string; purpose?: string; onProgress?: (progress: Progress) => void
  }): Promise<FileDescription>
  download(id: string, options: Cancellable & {
    to: WritableStream<Uint8Array>; onProgress?: (progress: Progress) => void
  }): Promise<void>
  download(id: string, options?: Cancellable & { onProgress?: (progress: Progress) => void }): Promise<Blob>
  readonly files: {
    list(options?: PageOptions): Promise<Page<FileDescription>>
    about(id: string, options?: Cancellable): Promise<FileDescription>
    remove(id: string, options?: Cancellable): Promise<Message>
  }

  // --- A fresh proof ---
  proof(options?: Cancellable): Promise<Proof>
  sendProof(method: 'email' | 'sms', options?: Cancellable): Promise<Sent>
  /** For `passkey` the browser's form opens. */
  reauthenticate(given: Cancellable & {
    method: Method | 'password'; code?: string; password?: string; credential?: Credential
  }): Promise<void>

  // --- What the user manages ---
  readonly factors: {
    list(options?: Cancellable): Promise<Factors>
    beginApp(options?: Cancellable): Promise<AppEnrolment>
    confirmApp(code: string, options?: Cancellable): Promise<Confirmed>
    removeApp(options?: Cancellable): Promise<Message>
    beginPhone(phone: string, options?: Cancellable): Promise<PhoneEnrolment>
    confirmPhone(code: string, options?: Cancellable): Promise<Confirmed>
    removePhone(options?: Cancellable): Promise<Message>
    makeRecoveryCodes(options?: Cancellable): Promise<{ readonly recovery_codes: readonly string[] }>
    removeRecoveryCodes(options?: Cancellable): Promise<Message>
  }
  readonly passkeys: {
    areSupported(): boolean
    canAutofill(): Promise<boolean>
    enrol(name?: string, options?: Cancellable): Promise<Passkey & { readonly recovery_codes?: readonly string[] }>
    list(options?: Cancellable): Promise<readonly Passkey[]>
    rename(id: string, name: string, options?: Cancellable): Promise<Passkey>
    remove(id: string, options?: Cancellable): Promise<Message>
  }
  readonly sessions: {
    list(options?: PageOptions): Promise<Page<Device>>
    end(id: string, options?: Cancellable): Promise<Message>
    endOthers(options?: Cancellable): Promise<Message & { readonly ended: number }>
  }
  updateProfile(changes: { name?: string; phone?: string; locale?: string }, options?: Cancellable): Promise<Profile>
  changePassword(currentPassword: string, password: string, options?: Cancellable): Promise<Message>
  changeEmail(fields: Cancellable & { email: string; password?: string }): Promise<Message & {
    readonly expires_in: number; readonly resend_in: number
  }>
  confirmEmailChange(fields: Cancellable & { email: string; otp: string }): Promise<Message & { readonly email: string }>
  exportData(options?: Cancellable): Promise<unknown>
  /** Erases the account and all that is kept about the user. */
  erase(options?: Cancellable): Promise<void>
}
