// @vitest-environment happy-dom
import { afterEach, expect, it } from 'vitest'
import { onPage } from '@/parts/pageForTests'
import SeekBar from './SeekBar.vue'

let stop: () => void = () => undefined
afterEach(() => stop())

const NINE = Date.parse('2026-11-24T01:00:00Z') // 09:00 in Beijing

async function bar() {
  const told: [string, number][] = []
  const page = await onPage(SeekBar, {
    props: {
      ...{ start: 0, end: 200, position: 150, bufferedTo: 160, live: true },
      clock: (position: number) => NINE + position * 1000,
      pauses: [{ start: 50, end: 100 }],
      onSeek: (position: number) => told.push(['seek', position]),
      onStep: (seconds: number) => told.push(['step', seconds]),
    },
  })
  stop = page.stop
  const slider = page.find('seek-bar')
  const press = (key: string) => slider?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))
  if (slider) slider.getBoundingClientRect = () => new DOMRect(0, 0, 100, 20)
  const point = async (clientX: number) => {
    slider?.dispatchEvent(new PointerEvent('pointermove', { clientX, bubbles: true }))
    await page.settled()
    return slider?.querySelector('.tip')?.textContent ?? ''
  }
  return { ...page, told, slider, press, point }
}

it('tells the time of day and the distance to the live edge', async () => {
  const { slider, point } = await bar()
  expect(slider?.getAttribute('aria-valuetext')).toBe('09:02:30  −0:50')
  expect(await point(10)).toBe('09:00:20  −3:00')
})

it('hatches where the class was cut, and says so', async () => {
  const { find, point } = await bar()
  const { left, width } = find('seek-pause')?.style ?? {}
  expect([left, width]).toEqual(['25%', '25%'])
  expect(await point(30)).toContain('播出暂停')
  expect(await point(60)).not.toContain('播出暂停')
})

it('steps by keys, and goes to its ends', async () => {
  const { press, told } = await bar()
  for (const key of ['ArrowLeft', 'PageUp', 'Home', 'End', 'm']) press(key)
  expect(told).toEqual([
    ['step', -5],
    ['step', 60],
    ['seek', 0],
    ['seek', 200],
  ])
})
