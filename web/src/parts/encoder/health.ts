// What the ingest process says of an encoder, ready for the panel: its light, and each verdict beside the figure it is of.
import type { EncoderVerdict, LiveState } from '@/api/sessions'
import { type Judged, type Verdict, worst } from './judgement'

/** Verdicts that are about one of the panel's figures; the others stand for themselves. */
const FIGURES: Record<string, string> = {
  keyframe_interval_long: 'keyframe_interval',
  bit_rate_over_limit: 'bit_rate',
  bit_rate_high: 'bit_rate',
  bit_rate_low: 'bit_rate',
  resolution_low: 'resolution',
  frame_rate_low: 'frame_rate',
  frame_rate_unsteady: 'frame_rate',
  frames_dropped: 'drops',
}

/** What is wrong; nothing where all is well, or nothing is known. */
export const complaints = (live: LiveState | null): EncoderVerdict[] =>
  (live?.health ?? []).filter((verdict) => verdict.code !== 'good')

/** A figure's judgement, and no better than what is said of it. */
export function withHealth(figure: string, own: Judged, live: LiveState): Judged {
  const said = complaints(live).filter((verdict) => FIGURES[verdict.code] === figure)
  const verdict = worst([own.verdict, ...said.map((one) => one.light)])
  return verdict === own.verdict ? own : { verdict, word: `said_${verdict}` }
}

/** The light of all: the ingest process's, which knows more than the figures; of a node that gives none, theirs. */
export const lightOf = (live: LiveState | null, figures: Verdict[]): Verdict => live?.light ?? worst(figures)
