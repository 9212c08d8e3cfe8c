// Asks again and again while a component lives: never twice at once, never while the tab is hidden.
import { onScopeDispose } from 'vue'

/** `delayMs` is asked after each answer, so that a page may ask faster while something is about to happen. */
export function usePolling(ask: () => Promise<void>, delayMs: () => number): { now: () => Promise<void> } {
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false
  let running: Promise<void> | null = null

  function run(): Promise<void> {
    clearTimeout(timer)
    running ??= ask()
      .catch(() => undefined) // the caller shows its own problems; the next turn tries again
      .finally(() => {
        running = null
        if (!stopped) timer = setTimeout(() => void turn(), delayMs())
      })
    return running
  }

  async function turn(): Promise<void> {
    if (document.hidden) timer = setTimeout(() => void turn(), 1000)
    else await run()
  }

  onScopeDispose(() => {
    stopped = true
    clearTimeout(timer)
  })
  void run()
  return { now: run }
}
