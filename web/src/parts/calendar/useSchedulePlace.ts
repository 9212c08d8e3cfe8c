// Which week is shown and which session is open stand in the address: a reload keeps them, and Back closes the session.
import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { weekFrom, weekOf } from './week'

const WEEK_MS = 7 * 86_400_000

export function useSchedulePlace() {
  const route = useRoute()
  const router = useRouter()
  const week = computed(() => weekFrom(route.query['week']) ?? weekOf(Date.now()))
  const isThisWeek = computed(() => week.value.monday === weekOf(Date.now()).monday)
  const openedId = computed(() => {
    const id = route.query['session']
    return typeof id === 'string' && id ? id : null
  })
  const at = (query: Record<string, string>) => ({ name: 'schedule', query })

  /** Weeks replace one another: Back leaves the timetable and need not walk through all that were looked at. */
  const goTo = (monday: string | null) => router.replace(at(monday ? { week: monday } : {}))
  const move = (weeks: number) => goTo(weekOf(week.value.from.getTime() + weeks * WEEK_MS).monday)
  const goToday = () => goTo(null)

  const open = (id: string) => router.push(at({ week: week.value.monday, session: id }))

  /** Goes back over the step that opened it, if that is what lies behind; a link that came with it open is replaced. */
  function close(): void {
    if (!openedId.value) return
    const behind = router.options.history.state['back']
    const here = router.resolve(at({ week: week.value.monday })).fullPath
    const bare = router.resolve(at({})).fullPath
    if (behind === here || (behind === bare && isThisWeek.value)) router.back()
    else void router.replace(here)
  }

  return { week, isThisWeek, openedId, move, goToday, open, close }
}
