// @vitest-environment happy-dom
import { afterEach, describe, expect, it } from 'vitest'
import { createApp, h } from 'vue'
import type { LiveState } from '@/api/sessions'
import { i18n, type Language } from '@/i18n'
import EncoderPanel from './EncoderPanel.vue'

const gone: LiveState = {
  state: 'reconnecting',
  node: 'ingest-1',
  encoder_lost_at: '2026-09-14T02:00:05Z',
  at: '2026-09-14T02:01:10Z',
}
const mounted: (() => void)[] = []

/** The panel as it stands on the page, in one of the languages; what it says at a mark of the tests. */
function panel(live: LiveState | null, language: Language = 'zh-CN') {
  i18n.global.locale.value = language
  const place = document.createElement('div')
  const app = createApp({ render: () => h(EncoderPanel, { live, history: [] }) }).use(i18n)
  app.mount(place)
  mounted.push(() => app.unmount())
  const at = (name: string) => place.querySelector<HTMLElement>(`[data-test="${name}"]`)
  return { at, says: (name: string) => at(name)?.textContent?.trim() ?? '' }
}

afterEach(() => mounted.splice(0).forEach((unmount) => unmount()))

describe('an encoder that went away', () => {
  it('is waited for: since when, and what to do, in Chinese', () => {
    const { at, says } = panel(gone)
    expect(says('encoder-verdict')).toBe('重新连接中')
    expect(says('encoder-gone')).toContain('正在等待编码器重新连接')
    expect(says('encoder-gone-since')).toBe('自 10:00:05 起，已中断 1:05')
    expect(says('encoder-gone')).toContain('请检查')
    expect(at('encoder-waiting')).toBeNull()
  })

  it('and in English', () => {
    const { says } = panel(gone, 'en')
    expect(says('encoder-verdict')).toBe('Reconnecting')
    expect(says('encoder-gone-since')).toBe('Since 10:00:05, for 1:05')
    expect(says('encoder-gone')).toContain('start publishing again')
  })

  it('is called lost when it stays away, and the page says to act', () => {
    const { at, says } = panel({ ...gone, state: 'waiting' })
    expect(at('encoder-gone')?.dataset['presence']).toBe('lost')
    expect(says('encoder-verdict')).toBe('连接已中断')
    expect(at('encoder-verdict')?.classList).toContain('poor')
  })

  it('is waited for beside a problem that is not its own', () => {
    const { says } = panel({ ...gone, problem_code: 'disk_full' })
    expect(says('encoder-problem')).not.toBe('')
    expect(says('encoder-gone')).not.toBe('')
  })

  it('because it was refused is told why, and not to come back as it is', () => {
    const { at, says } = panel({
      ...gone,
      problem_code: 'unsupported_codec',
      problem_facts: { codec: 'VP6' },
    })
    expect(says('encoder-problem')).not.toBe('')
    expect(says('encoder-verdict')).toBe('需要处理')
    expect(at('encoder-gone')).toBeNull()
  })

  it('of which nobody knows since when is not given a time', () => {
    const { at, says } = panel({ state: 'live', node: '' })
    expect(says('encoder-gone')).not.toBe('')
    expect(at('encoder-gone-since')).toBeNull()
  })
})

it('tells a class without any encoder yet how to begin', () => {
  const { at, says } = panel({ state: 'scheduled', node: '' })
  expect(says('encoder-verdict')).toBe('无信号')
  expect(says('encoder-waiting')).toContain('服务器地址和密钥')
  expect(at('encoder-gone')).toBeNull()
})
