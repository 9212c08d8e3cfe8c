// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Capacity, IngestNode } from '@/api/capacity'
import type { Language } from '@/i18n'
import { onPage } from '@/parts/pageForTests'
import CapacityPage from './CapacityPage.vue'

const NODE: IngestNode = {
  node: 'ingest-1',
  at: '2026-11-24T01:00:00Z',
  edge: false,
  publishers: 6,
  max_publishers: 10,
  max_department_publishers: null,
  sessions: 6,
  viewers: 240,
  stand_ins: 0,
  reels_pending: 1,
  uploads_failing_since: null,
  disk: 'low',
  disk_free_bytes: 1_500_000_000,
  disk_bytes: 500_000_000_000,
  silent_seconds: 1,
}
let shares: Capacity[]
let nodes: IngestNode[]
let answer: (most: number | null, version: string) => Response
const sent: { url: string; body: { max_publishers: number | null }; version: string | null }[] = []
let stop: () => void = () => undefined

const share = (slug: string, publishing: number, max_publishers: number | null, version = 1): Capacity => ({
  department_id: `d-${slug}`,
  slug,
  name_zh: slug === 'affairs' ? '教务处' : '人事处',
  name_en: slug === 'affairs' ? 'Academic affairs' : 'Personnel',
  max_publishers,
  publishing,
  version,
})

beforeEach(() => {
  sent.length = 0
  shares = [share('affairs', 4, 8), share('personnel', 2, null)]
  nodes = [NODE]
  answer = (most) => Response.json({ ...shares[0], max_publishers: most, version: 2 })
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    if (init.method !== 'PUT')
      return Promise.resolve(Response.json({ items: url.endsWith('/nodes') ? nodes : shares }))
    const version = (init.headers as Headers).get('If-Match')
    const body = JSON.parse(init.body as string) as { max_publishers: number | null }
    sent.push({ url, body, version })
    return Promise.resolve(answer(body.max_publishers, version ?? ''))
  })
})
afterEach(() => {
  stop()
  vi.unstubAllGlobals()
})

async function page(language: Language = 'zh-CN') {
  const shown = await onPage(CapacityPage, { language, may: ['capacity_edit'] })
  stop = shown.stop
  const click = async (name: string) => {
    shown.find(name)?.click()
    await shown.settled()
  }
  const type = async (most: string) => {
    const field = shown.find('capacity-form-affairs')?.querySelector('input')
    if (!field) throw new Error('no field')
    field.value = most
    field.dispatchEvent(new Event('input'))
    field.dispatchEvent(new Event('change'))
    await shown.settled()
  }
  return { ...shown, click, type }
}
const cells = (place: HTMLElement | null, kind: string) => place?.querySelectorAll(`.places .${kind}`).length

describe('places on the air', () => {
  it('are drawn as they are used, with and without a limit', async () => {
    const { find, says } = await page()
    expect([cells(find('capacity-affairs'), 'used'), cells(find('capacity-affairs'), 'free')]).toEqual([4, 4])
    expect([cells(find('capacity-personnel'), 'used'), cells(find('capacity-personnel'), 'open')]).toEqual([
      2, 3,
    ])
    expect(says('capacity-count-affairs')).toBe('4 / 8')
    expect(says('capacity-count-personnel')).toBe('2 / 不限')
    expect(says('capacity-total')).toContain('6 / 10 路')
    expect(find('capacity-hint')).toBeNull()
  })

  it('that are promised to more than there are room for are told of', async () => {
    nodes = [{ ...NODE, max_department_publishers: 6 }]
    const { says } = await page('en')
    expect(says('capacity-hint')).toContain('The limits come to 14 places, and the nodes have 10')
  })

  it('over a limit that was lowered stand in red', async () => {
    shares = [share('affairs', 4, 3), share('personnel', 0, 0)]
    const { find, says } = await page()
    expect(cells(find('capacity-affairs'), 'over')).toBe(1)
    expect(says('capacity-state-affairs')).toContain('比上限多 1 路')
    expect(says('capacity-state-personnel')).toContain('不能再开播')
  })
})

describe('a limit', () => {
  it('is changed by who has seen it, and what follows is said before', async () => {
    const { find, says, click, type } = await page()
    await click('capacity-edit-affairs')
    expect(find('capacity-follows')).toBeNull()
    await type('2')
    expect(says('capacity-follows')).toBe('正在推流的 4 路不会中断；降到 2 路以下才能再开新的。')
    await click('capacity-save-affairs')
    expect(sent).toEqual([
      { url: '/api/v1/capacities/d-affairs', body: { max_publishers: 2 }, version: '"1"' },
    ])
    expect(find('capacity-form-affairs')).toBeNull()
    expect(says('capacity-count-affairs')).toBe('4 / 2')
  })

  it('is given up for the one that all have', async () => {
    const { click } = await page()
    await click('capacity-edit-affairs')
    await click('capacity-house-affairs')
    expect(sent[0]?.body).toEqual({ max_publishers: null })
  })

  it('that somebody else has changed meanwhile is shown anew, with what was typed', async () => {
    answer = (_, version) =>
      version === '"1"'
        ? Response.json({ status: 412, code: 'stale_version', facts: {} }, { status: 412 })
        : Response.json({ ...share('affairs', 4, 5), version: 8 })
    const { find, says, click, type } = await page()
    await click('capacity-edit-affairs')
    await type('5')
    shares = [share('affairs', 4, 6, 7), share('personnel', 2, null)]
    await click('capacity-save-affairs')
    expect(says('problem')).toContain('刚才有人改过这个上限')
    expect(says('capacity-count-affairs')).toBe('4 / 6')
    await click('capacity-save-affairs')
    expect(sent.map((one) => [one.version, one.body.max_publishers])).toEqual([
      ['"1"', 5],
      ['"7"', 5],
    ])
    expect(find('capacity-form-affairs')).toBeNull()
  })

  it('that may not be changed says so', async () => {
    answer = () => Response.json({ status: 403, code: 'not_permitted', facts: {} }, { status: 403 })
    const { says, click } = await page('en')
    await click('capacity-edit-affairs')
    await click('capacity-save-affairs')
    expect(says('problem')).toContain('not permitted')
  })
})

describe('a node', () => {
  it('says what ails it, with its disk in numbers', async () => {
    const { find, says } = await page()
    expect(find('node-ingest-1')?.dataset['tone']).toBe('warn')
    expect(says('node-ingest-1-disk_low')).toContain('只剩 1.50 GB')
    expect(says('node-ingest-1')).toContain('剩 1.50 GB，共 500 GB')
    expect(says('node-ingest-1')).toContain('在看人数240')
  })

  it('that is silent counts for nothing', async () => {
    nodes = [{ ...NODE, silent_seconds: 95 }]
    const { says } = await page('en')
    expect(says('node-ingest-1-silent')).toContain('Not heard for 1:35')
    expect(says('capacity-hint')).toContain('No node takes encoders')
  })

  it('is missed where there is none', async () => {
    nodes = []
    const { says } = await page()
    expect(says('nodes-empty')).toBe('没有收流节点在运行。')
  })
})
