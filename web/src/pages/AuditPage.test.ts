// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { onPage } from '@/parts/pageForTests'
import AuditPage from './AuditPage.vue'

let stop: () => void = () => undefined
const asked: string[] = []
const entry = (id: number) => ({
  id,
  at: '2026-11-24T01:05:09Z',
  actor_kind: 'account',
  actor_id: 'a',
  actor_name: '李老师',
  address: '10.0.0.7',
  action: 'session_cut',
  item_kind: 'session',
  item_id: `s-${id}`,
  details: id === 9 ? { reason: '有人误入' } : {},
})

beforeEach(() => {
  asked.length = 0
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url)
    const first = !url.includes('cursor=')
    return Promise.resolve(Response.json({ items: [entry(first ? 9 : 8)], next_cursor: first ? '9' : null }))
  })
})
afterEach(() => {
  stop()
  vi.unstubAllGlobals()
})

async function trail(at = '/audit') {
  const page = await onPage(AuditPage, { at, may: ['audit_read'] })
  stop = page.stop
  return page
}

it('shows who did what, and goes on page by page', async () => {
  const { find, says, settled } = await trail()
  expect(asked).toEqual(['/api/v1/audit-entries'])
  expect(says('audit-entry')).toMatch(/2026年11月24日 09:05:09\s*李老师 10\.0\.0\.7.*session_cut.*s-9/)
  expect(says('audit-entry')).toContain('有人误入')
  find('audit-more')?.click()
  await settled()
  expect(asked.at(-1)).toBe('/api/v1/audit-entries?cursor=9')
  expect(document.querySelectorAll('[data-test="audit-entry"]').length).toBe(2)
  expect(find('audit-more')).toBeNull()
})

it('is narrowed by action and item, which stand in the address', async () => {
  const { find, router, settled } = await trail()
  const found = find('audit-action')
  const field = (
    found instanceof HTMLInputElement ? found : found?.querySelector('input')
  ) as HTMLInputElement
  field.value = 'session_cut'
  field.dispatchEvent(new Event('input'))
  find('audit-filter')?.dispatchEvent(new Event('submit', { cancelable: true }))
  await settled()
  expect(router.currentRoute.value.fullPath).toBe('/audit?action=session_cut')
  expect(asked.at(-1)).toBe('/api/v1/audit-entries?action=session_cut')
  find('audit-clear')?.click()
  await settled()
  expect(asked.at(-1)).toBe('/api/v1/audit-entries')
})

it('reads what an address looks for', async () => {
  await trail('/audit?item_kind=session&item_id=s-9')
  expect(asked).toEqual(['/api/v1/audit-entries?item_kind=session&item_id=s-9'])
})
