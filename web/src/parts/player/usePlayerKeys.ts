// The player's keys: on the player itself, and on a page that is about its player wherever the focus is, as long as the
// key means nothing there. What keyboards do to pages stays theirs: ↑ and ↓ scroll unless the player has the focus.
import { onBeforeUnmount, onMounted, type Ref } from 'vue'

export type Keys = Record<string, () => void>

/** Where each key is somebody else's. */
const WRITING = 'input, textarea, select, [contenteditable]:not([contenteditable="false"])'
const WIDGETS =
  '[role="dialog"], [role="slider"], [role="menu"], [role="radiogroup"], [role="listbox"], [role="tablist"]'
const PRESSED = 'button, a[href], summary, [role="button"]'
/** Keys that scroll the page: taken only on the player. */
const SCROLLING = new Set(['ArrowUp', 'ArrowDown'])

const hasModifier = (event: KeyboardEvent) =>
  event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.isComposing

/** Whether the focused thing needs the key itself. */
function isTaken(target: Element, key: string, frame: HTMLElement | null): boolean {
  if (target.closest(WRITING)) return true
  if ((key === ' ' || key === 'Enter') && target.closest(PRESSED)) return true
  return !frame?.contains(target) && target.closest(WIDGETS) !== null
}

/** The key's verb for this event, if it is the player's. */
export function verbFor(event: KeyboardEvent, keys: Keys, frame: HTMLElement | null): (() => void) | null {
  if (event.defaultPrevented || hasModifier(event)) return null
  const target = event.target instanceof Element ? event.target : document.body
  if (isTaken(target, event.key, frame)) return null
  if (SCROLLING.has(event.key) && !frame?.contains(target)) return null
  return keys[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? null
}

/** Listens on the player alone, or on its whole page. */
export function usePlayerKeys(
  frame: Ref<HTMLElement | null>,
  keys: Keys,
  wholePage: boolean,
  stir: () => void,
): void {
  function press(event: KeyboardEvent): void {
    const then = verbFor(event, keys, frame.value)
    if (then || frame.value?.contains(event.target as Node)) stir()
    if (!then) return
    event.preventDefault()
    then()
  }
  let listening: HTMLElement | Document | null = null
  onMounted(() => {
    listening = wholePage ? document : frame.value
    listening?.addEventListener('keydown', press as EventListener)
  })
  onBeforeUnmount(() => listening?.removeEventListener('keydown', press as EventListener))
}
