// @vitest-environment happy-dom
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp, h, nextTick } from 'vue'
import type { Course } from '@/api/courses'
import { i18n, type Language } from '@/i18n'
import { useSignIn } from '@/stores/signIn'
import CourseReview from './CourseReview.vue'

const at = '2026-11-24T00:00:00Z'
const by = { id: 'p', display_name: '赵老师' }
const course = (more: Partial<Course>): Course => ({
  id: 'c',
  recording_id: 'r',
  title: '精品',
  summary: '',
  audience: 'open',
  state: 'draft',
  provider: by,
  programme: null,
  duration_ms: 0,
  poster_url: null,
  chapters: [],
  questions: [],
  references: [],
  reviewed_at: null,
  filed_at: null,
  published_at: null,
  steps: [],
  version: 1,
  may: ['course_edit', 'course_review', 'course_file', 'course_publish'],
  ...more,
})
let sent: string[] = []
let unmount: () => void = () => undefined

function show(more: Partial<Course>, language: Language = 'zh-CN') {
  i18n.global.locale.value = language
  const pinia = createPinia()
  setActivePinia(pinia)
  const grant = (role: string) => ({ role, scope_kind: 'institute', scope_id: null })
  useSignIn().current = {
    account: { id: 'me', login: 'me', display_name: '我' },
    grants: [grant('academic_affairs'), grant('publicity_office')],
    may: [],
  } as never
  const changed = vi.fn()
  const place = document.body.appendChild(document.createElement('div'))
  const app = createApp({ render: () => h(CourseReview, { course: course(more), onChanged: changed }) })
  app.use(i18n).use(pinia).mount(place)
  unmount = () => {
    app.unmount()
    place.remove()
  }
  const mark = (name: string) => document.querySelector<HTMLElement>(`[data-test="${name}"]`)
  return { mark, says: (name: string) => mark(name)?.textContent?.replace(/\s+/g, ' ').trim() ?? '', changed }
}

beforeEach(() => {
  sent = []
  vi.stubGlobal('fetch', async (url: string) => {
    sent.push(url)
    return new Response('{}', { status: 200 })
  })
})
afterEach(() => {
  unmount()
  document.body.innerHTML = ''
  vi.unstubAllGlobals()
})

describe.each([
  ['course-submit', '提交审核', {}, '送教务处审核', '/submission', '已提交审核'],
  ['course-approve', '通过', { state: 'in_review' }, '送宣传部备案', '/review', '审核已通过'],
  ['course-file', '登记备案', { state: 'approved', reviewed_at: at }, '即可发布', '/filing', '已登记备案'],
  [
    'course-publish',
    '发布课程',
    { state: 'approved', reviewed_at: at, filed_at: at },
    '全院都能看到',
    '/publication',
    '课程已发布',
  ],
] as const)('%s', (button, _words, state, follows, path, done) => {
  it('says what follows, does it once confirmed, and says what was done', async () => {
    const { mark, says, changed } = show(state)
    mark(button)?.click()
    for (let turn = 0; turn < 6; turn += 1) await nextTick()
    expect(sent).toEqual([])
    expect(says(`${button}-note`)).toContain(follows)
    mark(`${button}-confirm`)?.click()
    await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce())
    expect(sent).toEqual([`/api/v1/courses/c${path}`])
    await vi.waitFor(() => expect(document.body.textContent).toContain(done))
    expect(document.body.textContent).not.toContain('已保存')
  })
})

it('shows who took each step and when', () => {
  const { says } = show({
    state: 'in_review',
    steps: [{ step: 'submission', at: '2026-11-24T01:30:00Z', by }],
  })
  expect(says('step-submission-taken')).toMatch(/^赵老师 · .*09:30$/)
})

it('shows who sent it back', () => {
  const { says } = show(
    { state: 'returned', review_note: '缺参考资料', steps: [{ step: 'return', at, by }] },
    'en',
  )
  expect(says('course-returned')).toContain('缺参考资料')
  expect(says('course-returned-by')).toContain('赵老师')
})
