// @vitest-environment happy-dom
import { afterEach, describe, expect, it } from 'vitest'
import type { Session } from '@/api/sessions'
import { onPage } from '@/parts/pageForTests'
import SessionCard from './SessionCard.vue'

let stop: () => void = () => undefined
afterEach(() => stop())

const session = (more: Partial<Session>) =>
  ({
    id: 's',
    kind: 'daily',
    title: '教育学',
    state: 'ended',
    starts_at: '2026-09-14T02:00:00Z',
    ends_at: '2026-09-14T03:00:00Z',
    recording_id: 'r',
    recording_state: 'purged',
    may: ['session_play'],
    ...more,
  }) as Session

async function card(of: Partial<Session>, may: string[] = [], language: 'zh-CN' | 'en' = 'zh-CN') {
  const page = await onPage(SessionCard, { props: { session: session(of) }, may, language })
  stop = page.stop
  return page
}

describe('a class whose recording was purged', () => {
  it('says so in place of the replay', async () => {
    const { find, says } = await card({})
    expect(says('purged-session-s')).toBe('回放已清除')
    expect(find('replay-session-s')).toBeNull()
    expect(find('certificate-session-s')).toBeNull()
  })

  it('leads whoever may to the certificate, in English too', async () => {
    const { find, says } = await card({}, ['certificate_read'], 'en')
    expect(says('purged-session-s')).toBe('Replay purged')
    expect(find('certificate-session-s')?.getAttribute('href')).toBe('/recordings/r/certificate')
    expect(find('certificate-session-s')?.classList).not.toContain('first')
  })
})

it('offers a class of another day no stage to wait before', async () => {
  const day = 86_400_000
  const { find, says } = await card({
    state: 'scheduled',
    recording_id: null,
    recording_state: null,
    starts_at: new Date(Date.now() + 3 * day).toISOString(),
    ends_at: new Date(Date.now() + 3 * day + 1).toISOString(),
  })
  expect(find('watch-session-s')).toBeNull()
  expect(says('session-card')).toContain('未开始')
})

it('says of one that is about to begin that it is', async () => {
  const { says } = await card({
    state: 'scheduled',
    recording_id: null,
    recording_state: null,
    starts_at: new Date(Date.now() + 300_000).toISOString(),
    ends_at: new Date(Date.now() + 3_600_000).toISOString(),
  })
  expect(says('watch-session-s')).toBe('即将开始')
})
