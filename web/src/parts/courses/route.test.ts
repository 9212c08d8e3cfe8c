import { describe, expect, it } from 'vitest'
import type { Course } from '@/api/courses'
import { openStep, stepsOf } from './route'

const course = (more: Partial<Course>): Course =>
  ({ state: 'draft', reviewed_at: null, filed_at: null, published_at: null, may: [], ...more }) as Course
const at = '2026-11-24T00:00:00Z'
const statuses = (one: Course) => stepsOf(one).map((step) => step.status)

describe('the way of a course', () => {
  it('begins with its submission, and again after it was returned', () => {
    expect(statuses(course({}))).toEqual(['due', 'ahead', 'ahead', 'ahead'])
    expect(statuses(course({ state: 'returned', reviewed_at: at }))).toEqual([
      'due',
      'ahead',
      'ahead',
      'ahead',
    ])
  })

  it('goes through review, filing and publication', () => {
    expect(statuses(course({ state: 'in_review' }))).toEqual(['done', 'due', 'ahead', 'ahead'])
    expect(statuses(course({ state: 'approved', reviewed_at: at }))).toEqual(['done', 'done', 'due', 'ahead'])
    expect(statuses(course({ state: 'approved', reviewed_at: at, filed_at: at }))).toEqual([
      'done',
      'done',
      'done',
      'due',
    ])
    expect(statuses(course({ state: 'published', reviewed_at: at, filed_at: at }))).toEqual(
      Array(4).fill('done'),
    )
  })

  it('opens a step only to whoever may take it', () => {
    expect(openStep(course({ may: ['course_edit'] }))).toBe('submission')
    expect(openStep(course({ state: 'in_review', may: ['course_edit'] }))).toBeNull()
    expect(openStep(course({ state: 'in_review', may: ['course_review'] }))).toBe('review')
    expect(openStep(course({ state: 'approved', reviewed_at: at, may: ['course_file'] }))).toBe('filing')
    expect(
      openStep(course({ state: 'published', reviewed_at: at, filed_at: at, may: ['course_publish'] })),
    ).toBeNull()
    expect(openStep(course({ state: 'withdrawn', may: ['course_publish', 'course_edit'] }))).toBeNull()
  })
})
