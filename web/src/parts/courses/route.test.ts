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

  const reader = (...roles: string[]) => ({
    accountId: 'me',
    hasRole: (...wanted: string[]) => wanted.some((role) => roles.includes(role)),
  })
  const open = (more: Partial<Course>, ...roles: string[]) =>
    openStep(course({ audience: 'open', ...more }), reader(...roles))

  it('opens a step only to whoever may take it', () => {
    expect(open({ may: ['course_edit'] })).toBe('submission')
    expect(open({ state: 'in_review', may: ['course_edit'] })).toBeNull()
    expect(open({ state: 'approved', reviewed_at: at, filed_at: at, may: ['course_publish'] })).toBe(
      'publication',
    )
    expect(open({ state: 'published', reviewed_at: at, filed_at: at, may: ['course_publish'] })).toBeNull()
    expect(open({ state: 'withdrawn', may: ['course_publish', 'course_edit'] })).toBeNull()
  })

  it('follows the route of its audience', () => {
    const review = { state: 'in_review', may: ['course_review'] } as const
    expect(open({ ...review, may: [...review.may] }, 'academic_affairs')).toBe('review')
    expect(open({ ...review, may: [...review.may] }, 'programme_lead')).toBeNull()
    expect(open({ ...review, may: [...review.may], audience: 'scoped' }, 'programme_lead')).toBe('review')
    const filing: Partial<Course> = { state: 'approved', reviewed_at: at, may: ['course_file'] }
    expect(open(filing, 'publicity_office')).toBe('filing')
    expect(open(filing, 'academic_affairs')).toBeNull()
    expect(open({ ...filing, audience: 'scoped' }, 'academic_affairs')).toBe('filing')
  })

  it('lets nobody review what they provide', () => {
    const own: Partial<Course> = {
      state: 'in_review',
      may: ['course_review'],
      provider: { id: 'me', display_name: '' },
    }
    expect(open(own, 'academic_affairs')).toBeNull()
  })
})
