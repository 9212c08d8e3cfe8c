// @vitest-environment happy-dom
// The page over answers as the api gives them: form, preview, done, and a file that is refused.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { ImportReport } from '@/api/timetables'
import { i18n, type Language } from '@/i18n'
import TimetableImportPage from './TimetableImportPage.vue'

const NOTHING: ImportReport = {
  id: null,
  created: 0,
  changed: 0,
  unchanged: 0,
  cancelled: 0,
  past: 0,
  kept: 0,
  cancelled_sessions: [],
  rejected: [],
}
const CANCELLING: ImportReport = {
  ...NOTHING,
  created: 1,
  cancelled: 3,
  cancelled_sessions: [
    { id: 'a', title: '教育学', starts_at: '2026-09-15T00:00:00Z' },
    { id: 'b', title: '心理学', starts_at: '2026-09-16T06:00:00Z' },
  ],
  rejected: [
    { row: 4, title: '美学', code: 'instructor_unknown', detail: 'no account has the login "nobody"' },
  ],
}
const TABLES = {
  items: [{ id: 't', slug: 'one', title: '一班', may: ['timetable_import'] }],
  next_cursor: null,
}

/** What was sent, and the answers that are to come: [status, body]. */
const sent: FormData[] = []
const answers: [number, unknown][] = []
const unmount: (() => void)[] = []

beforeEach(() => {
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    if (path.endsWith('/timetables')) return new Response(JSON.stringify(TABLES))
    sent.push(init.body as FormData)
    const [status, body] = answers.shift() ?? [500, {}]
    return new Response(JSON.stringify(body), { status })
  })
})

afterEach(() => {
  unmount.splice(0).forEach((each) => each())
  sent.length = answers.length = 0
  vi.unstubAllGlobals()
})

async function page(language: Language = 'zh-CN') {
  i18n.global.locale.value = language
  const routes = [{ path: '/', name: 'schedule', component: TimetableImportPage }]
  const place = document.createElement('div')
  const app = createApp(TimetableImportPage)
    .use(i18n)
    .use(createRouter({ history: createMemoryHistory(), routes }))
  app.mount(place)
  unmount.push(() => app.unmount())
  const at = (name: string) => place.querySelector<HTMLElement>(`[data-test="${name}"]`)
  const says = (name: string) => at(name)?.textContent?.replace(/\s+/g, ' ').trim() ?? ''
  const settled = () => new Promise((done) => setTimeout(done, 0))
  await settled()
  return {
    at,
    says,
    async choose(name = '课表.csv') {
      const input = at('import-file') as HTMLInputElement
      Object.defineProperty(input, 'files', { value: [new File(['x'], name)], configurable: true })
      input.dispatchEvent(new Event('change'))
      await settled()
    },
    async press(name: string, ...[status, body]: [number, unknown] | []) {
      if (status) answers.push([status, body])
      // The form is sent as its button would send it: the page stands in no document that could.
      if (name === 'import-look') at('import-form')?.dispatchEvent(new Event('submit', { cancelable: true }))
      else at(name)?.click()
      await settled()
      await settled()
    },
  }
}

const refusal = (facts: Record<string, unknown>, code = 'invalid_input') => ({ code, detail: 'd', facts })

describe('the preview', () => {
  it('is shown first, and tells what would be cancelled, open and by time', async () => {
    const { at, says, choose, press } = await page()
    await choose()
    await press('import-look', 200, CANCELLING)
    expect(sent.map((form) => form.get('preview'))).toEqual(['true'])
    expect(says('import-preview')).toContain('尚未作任何更改')
    expect(says('import-cancelled')).toBe('3 取消')
    expect(at('import-cancelled')?.classList).toContain('warn')
    expect(at('import-cancelled-list')?.hasAttribute('open')).toBe(true)
    expect(says('import-cancelled-list')).toContain('3 次课')
    expect(says('import-cancelled-a')).toBe('9月15日 周二 08:00教育学')
    expect(says('import-cancelled-b')).toBe('9月16日 周三 14:00心理学')
    expect(says('import-cancelled-more')).toBe('另有 1 次')
    expect(says('import-take')).toBe('导入并取消 3 次课')
    expect(at('import-report')).toBeNull()
    expect(at('import-look')).toBeNull()
  })

  it('names a rejected row’s course, and what the file said before the full stop', async () => {
    const { says, choose, press } = await page()
    await choose()
    await press('import-look', 200, CANCELLING)
    expect(says('import-row-4')).toBe('4美学找不到该教师：“nobody”。')
  })

  it('says in English what it does, with its plural', async () => {
    const { says, choose, press } = await page('en')
    await choose()
    await press('import-look', 200, { ...CANCELLING, cancelled: 1 })
    expect(says('import-take')).toBe('Import and cancel 1 class')
    expect(says('import-discard')).toBe('Discard')
  })

  it('that cancels nothing warns of nothing', async () => {
    const { at, says, choose, press } = await page()
    await choose()
    await press('import-look', 200, { ...NOTHING, created: 2 })
    expect(says('import-take')).toBe('导入')
    expect(at('import-cancelled-list')).toBeNull()
    expect(at('import-cancelled')?.classList).not.toContain('warn')
  })

  it('of which nothing would come offers no import', async () => {
    const { at, says, choose, press } = await page()
    await choose()
    await press('import-look', 200, { ...NOTHING, unchanged: 2 })
    expect(says('import-nothing')).not.toBe('')
    expect(at('import-take')).toBeNull()
  })
})

describe('after the preview', () => {
  it('the import is one press away and reports what was cancelled', async () => {
    const { at, says, choose, press } = await page()
    await choose()
    await press('import-look', 200, CANCELLING)
    await press('import-take', 201, { ...CANCELLING, id: 'i' })
    expect(sent.map((form) => form.get('preview'))).toEqual(['true', null])
    expect(sent[1]?.get('file')).toEqual(sent[0]?.get('file'))
    expect(at('import-preview')).toBeNull()
    expect(says('import-report')).toContain('导入完成，其中 1 行有问题未导入')
    expect(says('import-cancelled-list')).toContain('已取消 3 次课')
    expect(at('import-to-schedule')).not.toBeNull()
  })

  it('discarding goes back to the empty form and sends nothing', async () => {
    const { at, choose, press } = await page()
    await choose()
    await press('import-look', 200, CANCELLING)
    await press('import-discard')
    expect(at('import-preview')).toBeNull()
    expect(at('import-look')).not.toBeNull()
    expect(sent).toHaveLength(1)
  })

  it('another file needs another preview', async () => {
    const { at, choose, press } = await page()
    await choose()
    await press('import-look', 200, CANCELLING)
    await choose('other.csv')
    expect(at('import-preview')).toBeNull()
    expect(at('import-take')).toBeNull()
  })

  it('an import that fails says so beside the button, and can be tried again', async () => {
    const { at, says, choose, press } = await page()
    await choose()
    await press('import-look', 200, CANCELLING)
    await press('import-take', 503, {})
    expect(says('problem')).toContain('服务暂时不可用')
    expect(at('import-take')).not.toBeNull()
  })
})

describe('a file that is refused', () => {
  it.each([
    [{ reason: 'empty' }, '文件是空的。'],
    [{ reason: 'not_a_timetable', known: 'ics,csv,xlsx' }, '这不是课表文件'],
    [{ reason: 'columns_missing', columns: 'course,instructor' }, '没有找到必需的列：课程、教师账号。'],
    [{ reason: 'not_a_calendar', line: 7 }, '第 7 行'],
    [{ reason: 'made_up_later' }, 'made_up_later'],
  ])('is told why: %j', async (facts, words) => {
    const { at, says, choose, press } = await page()
    await choose()
    await press('import-look', 400, refusal(facts))
    expect(says('problem')).toContain(words)
    expect(at('import-look')).not.toBeNull()
  })

  it('is told which limit it passes, in English', async () => {
    const { says, choose, press } = await page('en')
    await choose()
    await press('import-look', 413, refusal({ limit: 'rows', most: 20_000 }, 'too_large'))
    expect(says('problem')).toContain('more than 20000 classes')
    await press('import-look', 400, refusal({ reason: 'columns_missing', columns: 'start,end' }))
    expect(says('problem')).toContain('not found: start, end.')
  })
})
