// A course's way to its audience (article 13), as steps that are done, due or still ahead.
import type { Course } from '@/api/courses'

export type StepName = 'submission' | 'review' | 'filing' | 'publication'

export interface Step {
  name: StepName
  status: 'done' | 'due' | 'ahead'
  at: string | null
}

type Facts = Pick<Course, 'state' | 'reviewed_at' | 'filed_at' | 'published_at'>

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
  const due = course.state === 'withdrawn' ? -1 : done.findIndex(([, isDone]) => !isDone)
  return done.map(([name, isDone, at], index) => ({
    name,
    status: isDone ? 'done' : index === due ? 'due' : 'ahead',
    at: isDone ? at : null,
  }))
}

/** The step whose button this reader has, by `may`. */
export function openStep(course: Facts & Pick<Course, 'may'>): StepName | null {
  const due = stepsOf(course).find((step) => step.status === 'due')
  if (!due) return null
  const permitted: Record<StepName, string[]> = {
    submission: ['course_edit'],
    review: ['course_review'],
    filing: ['course_file'],
    publication: ['course_publish'],
  }
  return permitted[due.name].some((action) => course.may.includes(action)) ? due.name : null
}
