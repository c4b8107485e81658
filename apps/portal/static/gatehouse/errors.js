// What is no success, in one form.

/**
 * `status` is 0 when no answer came. `type` is stable: program against it. The service's types are in its documentation;
 * the module's own are `network_error`, `timeout`, `not_signed_in`, `session_changed`, `unreadable_answer`,
 * `unexpected_answer` and `passkeys_unsupported`.
 */
export class GatehouseError extends Error {
  constructor({ status = 0, type, message, fields, limit, retryAfter, requestId, maxAge, timestamp, cause }) {
    super(message, { cause })
    this.name = 'GatehouseError'
    Object.assign(this, { status, type, fields, limit, retryAfter, requestId, maxAge, timestamp })
  }
}

/** The error in an answer's document. Without one (a proxy's page, an empty body), the status has to do. */
export const errorIn = (document, { status, headers }) => {
  const told = document?.error
  if (typeof told?.type !== 'string') return unexpected(status, headers)
  return new GatehouseError({
    status,
    type: told.type,
    message: told.message,
    fields: told.fields,
    limit: told.limit,
    retryAfter: told.retry_after ?? seconds(headers.get('Retry-After')),
    requestId: told.request_id,
    maxAge: told.max_age,
    timestamp: told.timestamp,
  })
}

export const unexpected = (status, headers) => new GatehouseError({
  status,
  type: status === 503 ? 'temporarily_unavailable' : 'unexpected_answer',
  message: `The answer (${status}) is not one of the service.`,
  retryAfter: seconds(headers.get('Retry-After')),
  requestId: headers.get('X-Request-ID') ?? undefined,
})

export const unreachable = (cause) => new GatehouseError({
  cause, type: 'network_error', message: 'The service cannot be reached.',
})

export const unreadable = (status, cause) => new GatehouseError({
  status, cause, type: 'unreadable_answer', message: 'The answer does not belong to this call, or was changed on its way.',
})

export const sessionChanged = (status) => new GatehouseError({
  status, type: 'session_changed', message: 'Somebody has signed in anew meanwhile, in another tab.',
})

export const notSignedIn = () => new GatehouseError({ status: 401, type: 'not_signed_in', message: 'Nobody is signed in here.' })

const seconds = (header) => (/^\d+$/.test(header ?? '') ? Number(header) : undefined)
