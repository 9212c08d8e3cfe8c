// @vitest-environment happy-dom
import { afterEach, describe, expect, it } from 'vitest'
import { defineComponent } from 'vue'
import { onPage } from '@/parts/pageForTests'
import { useSchedulePlace } from './useSchedulePlace'
import { weekOf } from './week'

let stop: () => void = () => undefined
afterEach(() => stop())

async function schedule(at: string) {
  let place!: ReturnType<typeof useSchedulePlace>
  const component = defineComponent({
    setup() {
      place = useSchedulePlace()
      return () => null
    },
  })
  const page = await onPage(component, { at })
  stop = page.stop
  const address = () => page.router.currentRoute.value.fullPath
  return { ...page, place, address }
}

describe('the week', () => {
  it('is this one without a word, and another by its Monday', async () => {
    const { place, address, settled } = await schedule('/schedule')
    expect(place.isThisWeek.value).toBe(true)
    await place.move(1)
    const next = weekOf(Date.now(), 1).monday
    expect(address()).toBe(`/schedule?week=${next}`)
    expect(place.week.value.monday).toBe(next)
    await place.goToday()
    await settled()
    expect(address()).toBe('/schedule')
  })

  it('is there again after a reload, with the session that was open', async () => {
    const { place } = await schedule('/schedule?week=2026-11-23&session=abc')
    expect(place.week.value.monday).toBe('2026-11-23')
    expect(place.openedId.value).toBe('abc')
  })
})

describe('an open session', () => {
  it('is closed by Back, and then the page is left', async () => {
    const { place, router, address, settled } = await schedule('/courses')
    await router.push('/schedule?week=2026-11-23')
    await place.open('abc')
    expect(address()).toBe('/schedule?week=2026-11-23&session=abc')
    router.back()
    await settled()
    expect(address()).toBe('/schedule?week=2026-11-23')
    expect(place.openedId.value).toBeNull()
    router.back()
    await settled()
    expect(address()).toBe('/courses')
  })

  it('that came by a link is closed without leaving', async () => {
    const { place, address, settled } = await schedule('/schedule?week=2026-11-23&session=abc')
    place.close()
    await settled()
    expect(address()).toBe('/schedule?week=2026-11-23')
  })
})
