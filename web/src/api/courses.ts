// Premium courses (精品课程) and their review, filing and publication.
import { get, patch, post } from './client'
import type { Instant, Named, Page, Person, Playback, Uuid } from './shapes'

export type CourseState = 'draft' | 'in_review' | 'returned' | 'approved' | 'published' | 'withdrawn'

export interface Chapter {
  at_ms: number
  title: string
}

export interface Question {
  prompt: string
  choices: string[]
}

/** A question as its provider writes it; the answer is never given back. */
export interface WrittenQuestion extends Question {
  answer: number
}

export interface Reference {
  title: string
  url: string
}

/** What was done last on the course's way; a return stands in the place of a review. */
export interface StepTaken {
  step: 'submission' | 'review' | 'return' | 'filing' | 'publication'
  at: Instant
  by: Person | null
}

export interface Course {
  id: Uuid
  recording_id: Uuid
  title: string
  summary: string
  audience: 'open' | 'scoped'
  state: CourseState
  provider: Person | null
  programme: Named | null
  duration_ms: number | null
  poster_url: string | null
  chapters: Chapter[]
  questions: Question[]
  references: Reference[]
  reviewed_at: Instant | null
  review_note?: string | null
  filed_at: Instant | null
  published_at: Instant | null
  /** Told to whoever may do more than play it. */
  steps: StepTaken[]
  version: number
  may: string[]
}

const at = (id: Uuid, rest = '') => `/courses/${id}${rest}`

export const listCourses = (cursor: string | null) => get<Page<Course>>('/courses', { query: { cursor } })
export const readCourse = (id: Uuid) => get<Course>(at(id))
export const playCourse = (id: Uuid) => post<Playback>(at(id, '/playback'), { body: {} })
/** What may be written of a course; what is left out stays, lists are replaced whole. */
export interface CourseChange {
  title?: string
  summary?: string
  chapters?: Chapter[]
  questions?: WrittenQuestion[]
  references?: Reference[]
}

export const changeCourse = (course: Course, change: CourseChange) =>
  patch<Course>(at(course.id), { body: change, version: course.version })
export const submitCourse = (id: Uuid) => post<Course>(at(id, '/submission'), { body: {} })
export const reviewCourse = (id: Uuid, decision: 'approve' | 'return', note: string) =>
  post<Course>(at(id, '/review'), { body: { decision, note } })
export const fileCourse = (id: Uuid) => post<Course>(at(id, '/filing'), { body: {} })
export const publishCourse = (id: Uuid) => post<Course>(at(id, '/publication'), { body: {} })
