import { describe, expect, it } from 'vitest'
import type { Capacity, IngestNode } from '@/api/capacity'
import { houseLimit, isSilent, limitOf, promised, totalOf, troublesOf } from './places'

const node = (more: Partial<IngestNode> = {}): IngestNode => ({
  node: 'ingest-1',
  at: '2026-11-24T01:00:00Z',
  edge: false,
  publishers: 3,
  max_publishers: 64,
  max_department_publishers: 8,
  sessions: 4,
  viewers: 100,
  stand_ins: 0,
  reels_pending: 0,
  uploads_failing_since: null,
  disk: 'good',
  disk_free_bytes: 9e11,
  disk_bytes: 1e12,
  silent_seconds: 2,
  ...more,
})
const share = (max_publishers: number | null) => ({ max_publishers }) as Capacity
const edge = node({
  edge: true,
  publishers: 0,
  max_publishers: 0,
  max_department_publishers: null,
  viewers: 50,
})

describe('the places of all nodes', () => {
  it('are those of the nodes that answer', () => {
    const nodes = [node(), node({ silent_seconds: 16, publishers: 9 }), edge]
    expect(totalOf(nodes)).toEqual({ used: 3, places: 64, viewers: 150 })
    expect(totalOf([])).toEqual({ used: 0, places: 0, viewers: 0 })
  })

  it('are given to each department by the tightest setting', () => {
    expect(houseLimit([node(), node({ max_department_publishers: 6 }), edge])).toBe(6)
    expect(houseLimit([node({ max_department_publishers: null }), edge])).toBeNull()
    expect(houseLimit([node({ silent_seconds: 60 })])).toBeNull()
  })

  it('are promised only where every department has a limit', () => {
    expect(promised([share(4), share(null)], 8)).toBe(12)
    expect(promised([share(4), share(0)], null)).toBe(4)
    expect(promised([share(4), share(null)], null)).toBeNull()
    expect(limitOf(share(0), 8)).toBe(0)
  })
})

describe('what ails a node', () => {
  const codes = (more: Partial<IngestNode>) => troublesOf(node(more)).map((one) => `${one.light} ${one.code}`)

  it.each([
    [{}, []],
    [{ disk: 'failing' }, ['poor disk_failing']],
    [{ disk: 'full' }, ['poor disk_full']],
    [{ disk: 'low' }, ['fair disk_low']],
    [{ disk: 'lent' }, []],
    [{ publishers: 64 }, ['fair places_full']],
    [{ silent_seconds: 15 }, []],
    [{ silent_seconds: 16, disk: 'full' }, ['poor silent']],
  ] as [Partial<IngestNode>, string[]][])('%j: %j', (more, expected) => {
    expect(codes(more)).toEqual(expected)
  })

  it('is told the worst first', () => {
    const found = codes({
      disk: 'low',
      stand_ins: 2,
      publishers: 64,
      uploads_failing_since: '2026-11-24T01:00:00Z',
    })
    expect(found).toEqual(['poor uploads_failing', 'fair disk_low', 'fair stand_ins', 'fair places_full'])
  })

  it('is nothing at an edge that takes no encoders', () => {
    expect(troublesOf(edge)).toEqual([])
    expect(isSilent(edge)).toBe(false)
  })
})
