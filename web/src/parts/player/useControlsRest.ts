// The controls step back after a while of playing without a pointer or key, and return at the first of them.
import { onScopeDispose, type Ref, ref, watch } from 'vue'

const REST_AFTER_MS = 2800

export function useControlsRest(playing: Ref<boolean>) {
  const resting = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined

  function stir(): void {
    resting.value = false
    clearTimeout(timer)
    if (playing.value) timer = setTimeout(() => (resting.value = true), REST_AFTER_MS)
  }

  watch(playing, stir, { immediate: true })
  onScopeDispose(() => clearTimeout(timer))
  return { resting, stir }
}
