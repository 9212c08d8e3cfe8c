// Which colour a state wears, on every page alike.
import type { CourseState } from '@/api/courses'
import type { RecordingState } from '@/api/recordings'
import type { SessionState } from '@/api/sessions'

export type Tone = 'live' | 'good' | 'warn' | 'brand' | 'kept' | 'plain'

export const SESSION_TONES: Record<SessionState, Tone> = {
  draft: 'plain',
  filed: 'warn',
  approved: 'brand',
  scheduled: 'brand',
  live: 'live',
  cut: 'warn',
  ended: 'plain',
  cancelled: 'plain',
}

export const RECORDING_TONES: Record<RecordingState, Tone> = {
  capturing: 'live',
  stored: 'good',
  marked: 'warn',
  purging: 'warn',
  purged: 'plain',
  promoted: 'kept',
}

export const COURSE_TONES: Record<CourseState, Tone> = {
  draft: 'plain',
  in_review: 'warn',
  returned: 'warn',
  approved: 'brand',
  published: 'good',
  withdrawn: 'plain',
}
