// A player that gave up while the stream changed under it (a cut, a resumption) is begun anew by the page: three times for
// each change of the session, so that one that cannot play at all is not tried for ever.
import { onScopeDispose, type Ref, watch } from 'vue'

interface Recoverable {
  status: string
  recover: () => Promise<void>
}

const CHANCES = 3
const EVERY_MS = 4000

export function useRecovery(player: Ref<Recoverable | null>, state: () => string | undefined): void {
  let chances = CHANCES
  function look(): void {
    if (player.value?.status !== 'failed' || chances === 0) return
    chances -= 1
    void player.value.recover()
  }
  watch(state, () => {
    chances = CHANCES
    look()
  })
  const timer = setInterval(look, EVERY_MS)
  onScopeDispose(() => clearInterval(timer))
}
