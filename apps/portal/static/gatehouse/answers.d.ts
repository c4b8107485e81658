/** What the service answers. */

/** Whom a stored token claims: to be shown, never to decide by. It has no role and no permissions. */
export interface ClaimedUser {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly customer_id: string
}

export interface User extends ClaimedUser {
  readonly role: string
  readonly permissions: readonly string[]
  readonly status: 'active' | 'pending' | (string & {})
}

export interface Profile extends User {
  readonly locale: string
  readonly phone: string
  readonly email_verified: boolean
  readonly created_at: string
}

export type Restored =
  | { readonly user: ClaimedUser; readonly verified: false }
  | { readonly user: User | null; readonly verified: true }

export type Method = 'email' | 'sms' | 'totp' | 'passkey' | 'recovery_code'
export type Enrollable = 'totp' | 'sms' | 'passkey'

export interface SignedIn {
  readonly requires_2fa?: undefined
  readonly user: User & { readonly is_new: boolean }
  /** What the customer demands, and the user should enrol next. */
  readonly enrol?: readonly Enrollable[]
  /** With a factor that was enrolled on the way in: show them, they are shown this once. */
  readonly recovery_codes?: readonly string[]
  /** After a recovery code was used. */
  readonly recovery_codes_left?: number
}

export interface Challenge {
  readonly requires_2fa: true
  readonly session_token: string
  /** In the order in which to offer them. */
  readonly methods: readonly Method[]
  /** What may be enrolled on the way in. */
  readonly enrol?: readonly Enrollable[]
  readonly expires_in: number
  readonly recovery_codes?: readonly string[]
  readonly recovery_codes_left?: number
}

export type SignInAnswer = SignedIn | Challenge

export interface Sent {
  readonly success: true
  /** Seconds until the code expires. */
  readonly expires_in: number
  /** Seconds until a further code may be asked for. */
  readonly resend_in: number
  readonly message: string
}

export interface Message {
  readonly message: string
}

/** A WebAuthn credential as JSON. */
export type Credential = Readonly<Record<string, unknown>>

export interface AppEnrolment {
  /** Base32. */
  readonly secret: string
  /** otpauth://… */
  readonly uri: string
  /** The URI as a QR code: an SVG element. */
  readonly qr_svg: string
}

export interface PhoneEnrolment {
  readonly number: string
  readonly expires_in: number
  readonly resend_in: number
}

export interface Confirmed extends Message {
  /** With a first factor: shown this once. */
  readonly recovery_codes?: readonly string[]
}

export interface Passkey {
  readonly id: string
  readonly name: string
  readonly created_at: string
  readonly last_used_at: string | null
  readonly backed_up: boolean
  readonly suspected_clone: boolean
}

export interface Factors {
  readonly policy: 'optional' | 'required' | 'both' | (string & {})
  readonly methods: readonly Method[]
  readonly totp: { readonly confirmed_at: string } | null
  readonly sms: { readonly confirmed_at: string; readonly number: string } | null
  readonly passkeys: readonly Passkey[]
  readonly recovery_codes_left: number
}

export interface Proof {
  /** By what it can be renewed, in the order in which to offer them. Empty: sign in again. */
  readonly methods: readonly (Method | 'password')[]
  /** Unix seconds. */
  readonly auth_time: number
  readonly max_age: number
  readonly fresh: boolean
}

export interface Page<Item> {
  readonly results: readonly Item[]
  /** The cursor of the next page. */
  readonly next: string | null
}

export interface PageOptions {
  signal?: AbortSignal
  cursor?: string
  limit?: number
}

export interface Device {
  readonly id: string
  readonly device: string
  readonly address: string | null
  readonly created_at: string
  readonly last_activity_at: string
  readonly current: boolean
}

export interface Progress {
  /** Bytes. */
  readonly loaded: number
  readonly total?: number
}

/** A file of the user. Its content is there if `uploaded_at` is; else it is deleted at `expires_at`. */
export interface FileDescription {
  readonly id: string
  readonly name: string
  readonly purpose: string
  /** Bytes. */
  readonly size: number
  /** What the content is, by its first bytes. */
  readonly media_type: string | null
  readonly sha256: string | null
  readonly created_at: string
  readonly uploaded_at: string | null
  readonly expires_at: string | null
}
