// A course's way to its audience (article 13), as steps that are done, due or still ahead.
import type { Course } from '@/api/courses'

export type StepName = 'submission' | 'review' | 'filing' | 'publication'

export interface Step {
  name: StepName
  status: 'done' | 'due' | 'ahead'
  at: string | null
  /** Who took it, where that is told. */
  by: string | null
}

type Facts = Pick<Course, 'state' | 'reviewed_at' | 'filed_at' | 'published_at'> &
  Partial<Pick<Course, 'steps'>>

export function stepsOf(course: Facts): Step[] {
  const submitted = course.state !== 'draft' && course.state !== 'returned'
  const reviewed = submitted && course.state !== 'in_review'
  const filed = reviewed && course.filed_at !== null
  const published = course.state === 'published'
  const done: [StepName, boolean, string | null][] = [
    ['submission', submitted, null],
    ['review', reviewed, course.reviewed_at],
    ['filing', filed, course.filed_at],
    ['publication', published, course.published_at],
  ]
  const taken = (name: StepName) => course.steps?.find((one) => one.step === name)
  const due = course.state === 'withdrawn' ? -1 : done.findIndex(([, isDone]) => !isDone)
  return done.map(([name, isDone, at], index) => ({
    name,
    status: isDone ? 'done' : index === due ? 'due' : 'ahead',
    at: isDone ? (taken(name)?.at ?? at) : null,
    by: isDone ? (taken(name)?.by?.display_name ?? null) : null,
  }))
}

/** Who looks at the course: what the api permits them in general is in the course's `may`. */
export interface Reader {
  accountId: string
  hasRole: (...roles: string[]) => boolean
}

// As in domain/review.py: an open course is reviewed by academic affairs and filed with publicity, a scoped one is
// reviewed where it belongs and filed with academic affairs.
const REVIEWERS = { open: ['academic_affairs'], scoped: ['department_manager', 'programme_lead'] }
const FILED_WITH = { open: ['publicity_office'], scoped: ['academic_affairs'] }

/** The step whose button this reader has. The api decides; this keeps away buttons that would be refused. */
export function openStep(
  course: Facts & Pick<Course, 'may' | 'audience' | 'provider'>,
  reader: Reader,
): StepName | null {
  const due = stepsOf(course).find((step) => step.status === 'due')?.name
  const may = (action: string) => course.may.includes(action)
  switch (due) {
    case 'submission':
      return may('course_edit') ? due : null
    case 'review': {
      const own = course.provider?.id === reader.accountId
      return may('course_review') && !own && reader.hasRole(...REVIEWERS[course.audience]) ? due : null
    }
    case 'filing':
      return may('course_file') && reader.hasRole(...FILED_WITH[course.audience]) ? due : null
    case 'publication':
      return may('course_publish') ? due : null
    default:
      return null
  }
}
