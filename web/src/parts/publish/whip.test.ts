import { expect, it } from 'vitest'
import { preferred, resourceAddress } from './whip'

const codecs = [
  { mimeType: 'video/VP8' },
  { mimeType: 'video/rtx' },
  { mimeType: 'video/H264', sdpFmtpLine: 'packetization-mode=0;profile-level-id=42e01f' },
  { mimeType: 'video/H264', sdpFmtpLine: 'packetization-mode=1;profile-level-id=42e01f' },
]

it('asks for H.264 in packetization mode 1, and keeps retransmission', () => {
  expect(preferred(codecs, 'video')).toEqual([codecs[3], codecs[1]])
})

it('leaves the choice to the browser when it has no such H.264', () => {
  expect(preferred(codecs.slice(0, 3), 'video')).toEqual([])
})

it('asks for Opus', () => {
  expect(preferred([{ mimeType: 'audio/PCMU' }, { mimeType: 'audio/opus' }], 'audio')).toEqual([
    { mimeType: 'audio/opus' },
  ])
})

it('finds the resource relative to the endpoint', () => {
  const endpoint = 'http://ingest.example:8090/whip/s'
  expect(resourceAddress(endpoint, '/whip/s/take-1')).toBe('http://ingest.example:8090/whip/s/take-1')
  expect(resourceAddress(endpoint, 'https://other.example/x')).toBe('https://other.example/x')
  expect(resourceAddress(endpoint, null)).toBeNull()
})
