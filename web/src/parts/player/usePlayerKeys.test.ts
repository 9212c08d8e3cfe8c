// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createApp, defineComponent, h, ref } from 'vue'
import { usePlayerKeys } from './usePlayerKeys'

let pressed: string[] = []
let unmount: () => void = () => undefined

/** A page around a player: what stands beside it, and the player's frame with a button of its own. */
function page(wholePage: boolean): void {
  const Page = defineComponent(() => {
    const frame = ref<HTMLElement | null>(null)
    const verb = (name: string) => () => pressed.push(name)
    const keys = { ' ': verb('toggle'), m: verb('mute'), ArrowLeft: verb('back'), ArrowUp: verb('louder') }
    usePlayerKeys(frame, keys, wholePage, () => undefined)
    return () => [
      h('p', { id: 'text', tabindex: -1 }),
      h('button', { id: 'button' }),
      h('input', { id: 'input' }),
      h('textarea', { id: 'textarea' }),
      h('select', { id: 'select' }),
      h('div', { role: 'dialog' }, h('p', { id: 'in-dialog', tabindex: -1 })),
      h('div', { ref: frame, id: 'player', tabindex: -1 }, h('button', { id: 'in-player' })),
    ]
  })
  const place = document.body.appendChild(document.createElement('div'))
  const app = createApp(Page)
  app.mount(place)
  unmount = () => {
    app.unmount()
    place.remove()
  }
}

function press(at: string, key: string, more: KeyboardEventInit = {}): boolean {
  const target = at ? document.getElementById(at) : document.body
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more })
  target?.dispatchEvent(event)
  return event.defaultPrevented
}

beforeEach(() => (pressed = []))
afterEach(() => unmount())

describe('the keys of a page that is about its player', () => {
  beforeEach(() => page(true))

  it('work without the focus in the player, once each', () => {
    for (const key of [' ', 'm', 'M', 'ArrowLeft']) press('', key)
    press('text', 'm')
    press('player', 'm')
    expect(pressed).toEqual(['toggle', 'mute', 'mute', 'back', 'mute', 'mute'])
    expect(press('', ' '), 'the page does not scroll').toBe(true)
  })

  it.each(['input', 'textarea', 'select', 'in-dialog'])('leave %s alone', (at) => {
    for (const key of [' ', 'm', 'ArrowLeft']) expect(press(at, key)).toBe(false)
    expect(pressed).toEqual([])
  })

  it('leave space to a focused button, and take what means nothing to it', () => {
    for (const at of ['button', 'in-player']) {
      expect(press(at, ' ')).toBe(false)
      press(at, 'm')
    }
    expect(pressed).toEqual(['mute', 'mute'])
  })

  it.each(['ctrlKey', 'metaKey', 'altKey', 'shiftKey'])('do nothing with %s', (modifier) => {
    press('', 'm', { [modifier]: true })
    expect(pressed).toEqual([])
  })

  it('let ↑ scroll the page, and be the volume on the player', () => {
    expect(press('', 'ArrowUp')).toBe(false)
    press('player', 'ArrowUp')
    expect(pressed).toEqual(['louder'])
  })

  it('are gone with the player', () => {
    unmount()
    press('', 'm')
    expect(pressed).toEqual([])
  })
})

it('elsewhere the keys are the focused player alone', () => {
  page(false)
  press('', 'm')
  expect(pressed).toEqual([])
  press('player', 'm')
  expect(pressed).toEqual(['mute'])
})
