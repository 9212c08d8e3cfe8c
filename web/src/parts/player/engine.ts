// hls.js as Lectern uses it: its settings, and what is done about each fatal error. No Vue in here.
import Hls, { type ErrorData, type HlsConfig } from 'hls.js'

/** What the engine tells the player. */
export interface EngineListener {
  /** The playback address is no longer good (signed out, kicked, expired): a new one must be asked for. */
  refused: () => void
  /** The network failed; the engine tries again by itself. */
  struggling: () => void
  /** Nothing can be done: this browser cannot play it. */
  failed: () => void
}

const REFUSED = new Set([401, 403, 410])
const RETRY_MS = [1000, 2000, 4000, 5000]

/** `ahead`: for a reviewer, to whom a picture that comes late is worth nothing. */
export function settings(live: boolean, ahead = false): Partial<HlsConfig> {
  return {
    lowLatencyMode: live,
    enableWorker: true,
    // The whole session stays seekable, so what was played need not stay in memory for long.
    backBufferLength: live ? 60 : 90,
    maxBufferLength: live ? 20 : 60,
    maxLiveSyncPlaybackRate: ahead ? 1.5 : 1.08, // a viewer who fell behind catches up unheard
    liveSyncOnStallIncrease: ahead ? 0 : 1, // seconds that each stall adds to the distance from the edge
    liveDurationInfinity: live,
    capLevelToPlayerSize: false,
    startLevel: -1,
    // A take's first picture comes later than its first sound by what B-frames need: up to 0.1 s are a hole in what is
    // buffered. hls.js 1.7 finds no end behind a hole that it takes for none (0.1 s by itself): the replay would hang there.
    ...(live ? {} : { startPosition: 0, maxBufferHole: 0.01 }),
  }
}

export function playsHere(video: HTMLVideoElement): 'hls.js' | 'native' | null {
  if (Hls.isSupported()) return 'hls.js'
  return video.canPlayType('application/vnd.apple.mpegurl') ? 'native' : null
}

/** Starts hls.js on a video element. The caller destroys what it gets. */
export function start(
  video: HTMLVideoElement,
  url: string,
  live: boolean,
  from: number | null,
  listener: EngineListener,
  ahead = false,
): Hls {
  const hls = new Hls({ ...settings(live, ahead), ...(from === null ? {} : { startPosition: from }) })
  let attempts = 0
  let mediaRecoveredAt = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  hls.on(Hls.Events.FRAG_BUFFERED, () => (attempts = 0))
  hls.on(Hls.Events.DESTROYING, () => clearTimeout(timer))
  hls.on(Hls.Events.ERROR, (_event, data: ErrorData) => {
    if (!data.fatal) return
    if (data.type === Hls.ErrorTypes.NETWORK_ERROR) {
      if (REFUSED.has(data.response?.code ?? 0)) return listener.refused()
      listener.struggling()
      const wait = RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)]
      clearTimeout(timer)
      timer = setTimeout(() => {
        if (hls.levels.length) hls.startLoad()
        else hls.loadSource(url)
      }, wait)
    } else if (data.type === Hls.ErrorTypes.MEDIA_ERROR && performance.now() - mediaRecoveredAt > 5000) {
      mediaRecoveredAt = performance.now()
      hls.recoverMediaError()
    } else {
      listener.failed()
    }
  })

  hls.loadSource(url)
  hls.attachMedia(video)
  return hls
}
