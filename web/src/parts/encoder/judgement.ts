// What the encoder's figures mean to the person who teaches: a word of judgement for each. Thresholds say their reason.
import type { LiveState } from '@/api/sessions'

export type Verdict = 'good' | 'fair' | 'poor' | 'unknown'

export interface Judged {
  verdict: Verdict
  /** Key under `encoder.words`. */
  word: string
}

const UNKNOWN: Judged = { verdict: 'unknown', word: 'unknown' }
const judged = (verdict: Verdict, word: string): Judged => ({ verdict, word })

/** Whether an encoder publishes at all. */
export const isPublishing = (live: LiveState | null) =>
  Boolean(live?.take_id || live?.height || live?.video_kbps)

/** 720 lines keep slides readable; below 480 small type is lost. */
export function judgeResolution(live: LiveState): Judged {
  const height = live.height ?? 0
  if (!height) return UNKNOWN
  if (height >= 720) return judged('good', 'sharp')
  return height >= 480 ? judged('fair', 'soft') : judged('poor', 'coarse')
}

/** Below 24 gestures stutter; below 12 it is a slide show. */
export function judgeFrameRate(live: LiveState): Judged {
  const rate = live.frame_rate ?? 0
  if (!rate) return UNKNOWN
  if (rate >= 23.5) return judged('good', 'smooth')
  return rate >= 12 ? judged('fair', 'uneven') : judged('poor', 'jerky')
}

/**
 * Over 12 Mbps viewers' lines give out. Little is no fault by itself: slides that stand still need next to nothing, and
 * only who sees the picture can tell them from a person who moves. So little is said, and not blamed.
 */
export function judgeBitRate(live: LiveState): Judged {
  const { video_kbps: kbps, width, height, frame_rate: rate } = live
  if (!kbps || !width || !height || !rate) return UNKNOWN
  if (kbps > 12_000) return judged('fair', 'too_much')
  const bitsPerPixel = (kbps * 1000) / (width * height * rate)
  return judged('good', bitsPerPixel >= 0.02 ? 'enough' : 'little')
}

/** As `domain/encoder_health.py`: more than 4 s makes joining slow, more than 6 s forces cuts without a key frame. */
export function judgeKeyframes(live: LiveState): Judged {
  const interval = live.keyframe_interval_ms ?? 0
  if (!interval) return UNKNOWN
  if (interval <= 4000) return judged('good', 'short')
  return interval <= 6000 ? judged('fair', 'long') : judged('poor', 'too_long')
}

/** Frames dropped since the last look, not since the beginning: old trouble does not stay red for ever. */
export function judgeDrops(droppedLately: number | null): Judged {
  if (droppedLately === null) return UNKNOWN
  if (droppedLately <= 0) return judged('good', 'none')
  return droppedLately < 15 ? judged('fair', 'some') : judged('poor', 'many')
}

/** The worst of several verdicts is the verdict of the whole. */
export function worst(verdicts: Verdict[]): Verdict {
  for (const verdict of ['poor', 'fair', 'good'] as const) if (verdicts.includes(verdict)) return verdict
  return 'unknown'
}
