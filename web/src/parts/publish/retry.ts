// When a publish that was lost is begun anew: at growing intervals, as long as waiting can help, and not for ever.
import { WhipRefused } from './whip'

/** A class that was left this long ago is no longer waited for by a camera that stays on. */
export const PATIENCE_MS = 10 * 60_000
const FIRST_MS = 1000
const LONGEST_MS = 15_000
/** What a server may ask for: later than that it is asked anyway. */
const LONGEST_ASKED_MS = 60_000
/** The server takes a publish that it hears nothing of for standing this often; then the key is another encoder's. */
const IN_USE_TRIES = 5
/** Client errors that pass: too slow, too early, too many (RFC 9110, 8470, 6585). */
const PASSING = new Set([408, 425, 429])

/** No answer, or none in time. */
export const isNetwork = (error: unknown) =>
  error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')

/** Whether another try may go better than the `tries` before, of which the last one failed with `error`. */
export function mayPass(error: unknown, tries: number): boolean {
  if (!(error instanceof WhipRefused)) return isNetwork(error)
  if (error.code === 'key_in_use') return tries <= IN_USE_TRIES
  return error.status >= 500 || PASSING.has(error.status)
}

/** How long to wait before try number `tries`; `luck` (0 to 1) keeps a whole school from coming back at one instant. */
export function waitMs(tries: number, error: unknown, luck: number): number {
  const own = Math.min(LONGEST_MS, FIRST_MS * 2 ** (tries - 1)) * (0.75 + luck / 2)
  const asked = error instanceof WhipRefused ? (error.retryAfterMs ?? 0) : 0
  return Math.max(own, Math.min(asked, LONGEST_ASKED_MS))
}
