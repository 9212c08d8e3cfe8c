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

  it('is told of a failing disk while it is away, too', () => {
    const { says } = panel({
      ...gone,
      light: 'poor',
      health: [{ code: 'disk_failing', light: 'poor', facts: {} }],
    })
    expect(says('encoder-health-disk_failing')).toContain('磁盘出错')
    expect(says('encoder-gone')).not.toBe('')
    expect(panel({ ...gone, problem_code: 'disk_failing' }).says('encoder-problem')).toContain('录像已暂停')
  })

  it('because it was refused is told why, and not to come back as it is', () => {
    const { at, says } = panel({
      ...gone,
      problem_code: 'unsupported_codec',
      problem_facts: { codec: 'VP6' },
    })
    expect(says('encoder-problem')).toContain('编码器发送的是 VP6')
    expect(says('encoder-verdict')).toBe('需要处理')
    expect(at('encoder-gone')).toBeNull()
  })

  it('because it broke the rules is told so, and what to look at', () => {
    const { at, says } = panel({ ...gone, problem_code: 'broke_rules' })
    expect(says('encoder-problem')).toContain('编码器不守推流规则')
    expect(says('encoder-verdict')).toBe('需要处理')
    expect(at('encoder-gone'), 'it is not waited for as it is').toBeNull()
    const english = panel({ ...gone, problem_code: 'broke_rules' }, 'en')
    expect(english.says('encoder-problem')).toContain('broke the rules of publishing')
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

describe('an encoder that could do better', () => {
  const publishing: LiveState = {
    state: 'live',
    node: 'ingest-1',
    take_id: 't',
    width: 1280,
    height: 720,
    frame_rate: 25,
    video_kbps: 7000,
    keyframe_interval_ms: 10_000,
    light: 'poor',
    health: [
      { code: 'keyframe_interval_long', light: 'poor', facts: { seconds: '10', advised_seconds: 2 } },
      { code: 'bit_rate_high', light: 'fair', facts: { kbps: 7000, lines: 720, advised_kbps: 2000 } },
      { code: 'audio_offset', light: 'fair', facts: { ms: 240, first: 'video' } },
    ],
  }

  it('is told what to set, the worst first, in Chinese', () => {
    const { at, says } = panel(publishing)
    expect(says('encoder-verdict')).toBe('需要处理')
    expect(says('encoder-health-keyframe_interval_long')).toBe('关键帧间隔 10 秒，请设为 2 秒。')
    expect(says('encoder-health-bit_rate_high')).toContain('2.0 Mbps 即可')
    expect(says('encoder-health-audio_offset')).toContain('声音比画面晚 240 毫秒')
    const lights = [...(at('encoder-advice')?.children ?? [])].map((one) => one.className)
    expect(lights).toEqual(['poor', 'fair', 'fair'])
    expect(at('encoder-bit_rate')?.className, 'a figure is no better than what is said of it').toBe('fair')
  })

  it('and in English', () => {
    const { says } = panel(publishing, 'en')
    expect(says('encoder-health-keyframe_interval_long')).toBe('Key frames are 10 s apart: set 2 s.')
    expect(says('encoder-health-audio_offset')).toContain('240 ms after')
  })

  it('and is left alone when all is well, or before anything is known', () => {
    const good = { ...publishing, keyframe_interval_ms: 2000, video_kbps: 2000 }
    const well = panel({ ...good, light: 'good', health: [{ code: 'good', light: 'good', facts: {} }] })
    expect(well.says('encoder-verdict')).toBe('一切正常')
    expect(well.at('encoder-advice')).toBeNull()
    expect(panel({ ...good, light: null, health: [] }).at('encoder-advice')).toBeNull()
  })

  it('is told what it sends by the names that people know', () => {
    const everyFrame = { ...publishing, keyframe_interval_ms: 40, video_codec: 'h264', audio_codec: 'aac' }
    const { says } = panel(everyFrame)
    expect(says('encoder-codecs')).toContain('H.264 + AAC')
    expect(says('encoder-keyframe_interval')).toContain('每一帧')
  })

  it('is told of a disk that fails or is nearly full among what else is wrong', () => {
    const health: LiveState['health'] = [
      { code: 'audio_missing', light: 'poor', facts: {} },
      { code: 'disk_failing', light: 'poor', facts: {} },
      { code: 'disk_low', light: 'fair', facts: { free_bytes: 1_900_000_000 } },
    ]
    const { at, says } = panel({ ...publishing, health })
    expect([...(at('encoder-advice')?.children ?? [])].map((one) => one.getAttribute('data-test'))).toEqual([
      'encoder-health-audio_missing',
      'encoder-health-disk_failing',
      'encoder-health-disk_low',
    ])
    expect(says('encoder-health-disk_failing')).toContain('请在编码器上同时录一份')
    expect(says('encoder-health-disk_low')).toContain('只剩 1.90 GB')
    expect(panel({ ...publishing, health }, 'en').says('encoder-health-disk_low')).toContain('1.90 GB left')
  })

  it('is told that nothing is recorded, and why, before anything else', () => {
    const full = panel({ ...publishing, problem_code: 'disk_full' })
    expect(full.says('encoder-verdict')).toBe('需要处理')
    expect(full.says('encoder-problem')).toContain('录像已暂停：保存录像的磁盘已满')
    const failing = panel({ ...publishing, problem_code: 'disk_failing' }, 'en')
    expect(failing.says('encoder-problem')).toContain('Not recording: the disk fails')
  })

  it('of a newer server that knows more is shown by its code', () => {
    const { says } = panel({ ...publishing, health: [{ code: 'lens_dirty', light: 'fair', facts: {} }] })
    expect(says('encoder-health-lens_dirty')).toContain('lens_dirty')
  })

  it('whose department is full is told why it was not let in', () => {
    const { says } = panel({
      state: 'scheduled',
      node: '',
      problem_code: 'department_full',
      problem_facts: { max_publishers: 4 },
    })
    expect(says('encoder-problem')).toContain('4 路')
  })
})
