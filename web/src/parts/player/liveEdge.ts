// Arithmetic of a live window: where the viewer is between the session's beginning and its live edge. Seconds of media.

export interface LiveWindow {
  /** First second that can still be played; with DVR over the whole session, its beginning. */
  start: number
  /** End of what has been published so far. */
  edge: number
  /** What the player aims to stay behind the edge. */
  targetLatency: number
}

/** More than this beyond the target counts as behind: less is the player breathing, not a viewer who sought back. */
export const LIVE_SLACK_SECONDS = 3

export function behindSeconds(window: LiveWindow, position: number): number {
  return Math.max(0, window.edge - position)
}

export function isAtLive(window: LiveWindow, position: number): boolean {
  return behindSeconds(window, position) <= window.targetLatency + LIVE_SLACK_SECONDS
}

/** Where "back to live" lands: the target behind the edge, never before the window. */
export function livePosition(window: LiveWindow): number {
  return Math.max(window.start, window.edge - window.targetLatency)
}

/** A position as a share of the window, 0 to 1; a window without length is all played. */
export function shareOf(start: number, end: number, position: number): number {
  if (!(end > start)) return 1
  return Math.min(1, Math.max(0, (position - start) / (end - start)))
}

export function positionAt(start: number, end: number, share: number): number {
  return start + Math.min(1, Math.max(0, share)) * Math.max(0, end - start)
}

/** Keeps a seek inside the window; while live it may not pass the live position. */
export function clampSeek(start: number, end: number, wanted: number): number {
  return Math.min(Math.max(start, end), Math.max(start, wanted))
}

/** The last frame's own length, and what a muxer rounds. */
const END_SLACK_SECONDS = 0.5

export function isAtEnd(end: number, position: number): boolean {
  return end > 0 && end - position <= END_SLACK_SECONDS
}

export interface DatedFragment {
  start: number
  duration: number
  programDateTime: number | null
}

/** The wall clock (ms since 1970) of a media position, by the dated fragment that holds it or the nearest before it. */
export function clockAt(fragments: readonly DatedFragment[], position: number): number | null {
  let low = 0
  let high = fragments.length - 1
  let found: DatedFragment | undefined
  while (low <= high) {
    const middle = (low + high) >> 1
    const fragment = fragments[middle]
    if (!fragment) break
    if (fragment.start <= position) {
      found = fragment
      low = middle + 1
    } else {
      high = middle - 1
    }
  }
  found ??= fragments[0]
  if (!found || found.programDateTime === null) return null
  return found.programDateTime + (position - found.start) * 1000
}
