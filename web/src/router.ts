// Where each page stands. Every page is its own chunk; all but the sign-in need a signed-in person. `needs` names the
// action without which the page has nothing to show: the frame then says so, and nothing is asked of the api.
import { createRouter, createWebHistory } from 'vue-router'
import { useSignIn } from './stores/signIn'

export const router = createRouter({
  history: createWebHistory(),
  // What a page keeps in its own address (a week, an open drawer) moves nothing.
  scrollBehavior: (to, from, saved) => (to.path === from.path ? false : (saved ?? { top: 0 })),
  routes: [
    {
      path: '/sign-in',
      name: 'sign-in',
      component: () => import('./pages/SignInPage.vue'),
      meta: { title: 'pages.sign_in', open: true },
    },
    {
      path: '/',
      name: 'home',
      component: () => import('./pages/HomePage.vue'),
      meta: { title: 'pages.home' },
    },
    {
      path: '/schedule',
      name: 'schedule',
      component: () => import('./pages/SchedulePage.vue'),
      meta: { title: 'pages.schedule', needs: 'session_read' },
    },
    {
      path: '/sessions/:id',
      name: 'session',
      component: () => import('./pages/SessionPage.vue'),
      props: true,
      meta: { title: 'pages.session', door: 'schedule', needs: 'session_read' },
    },
    {
      path: '/sessions/:id/watch',
      name: 'watch',
      component: () => import('./pages/WatchPage.vue'),
      props: true,
      meta: { title: 'pages.watch', door: 'schedule', needs: 'session_read', stage: true },
    },
    {
      path: '/sessions/:id/review',
      name: 'review',
      component: () => import('./pages/ReviewPage.vue'),
      props: true,
      meta: { title: 'pages.review', door: 'schedule', needs: 'session_control', stage: true },
    },
    {
      path: '/evidence',
      name: 'evidence',
      component: () => import('./pages/EvidencePage.vue'),
      meta: { title: 'pages.evidence', needs: 'evidence_read' },
    },
    {
      path: '/evidence/:id',
      name: 'evidence-of',
      component: () => import('./pages/EvidenceOfPage.vue'),
      props: true,
      meta: { title: 'pages.evidence', door: 'evidence', needs: 'evidence_read' },
    },
    {
      path: '/recordings',
      name: 'recordings',
      component: () => import('./pages/RecordingsPage.vue'),
      meta: { title: 'pages.recordings', needs: 'recording_read' },
    },
    {
      path: '/recordings/:id',
      name: 'replay',
      component: () => import('./pages/ReplayPage.vue'),
      props: true,
      meta: { title: 'pages.replay', door: 'recordings', needs: 'recording_read' },
    },
    {
      path: '/recordings/:id/certificate',
      name: 'certificate',
      component: () => import('./pages/CertificatePage.vue'),
      props: true,
      meta: { title: 'pages.certificate', door: 'certificates', needs: 'certificate_read' },
    },
    {
      path: '/certificates',
      name: 'certificates',
      component: () => import('./pages/CertificatesPage.vue'),
      meta: { title: 'pages.certificates', needs: 'certificate_read' },
    },
    {
      path: '/courses',
      name: 'courses',
      component: () => import('./pages/CoursesPage.vue'),
      meta: { title: 'pages.courses', needs: 'course_read' },
    },
    {
      path: '/courses/:id',
      name: 'course',
      component: () => import('./pages/CoursePage.vue'),
      props: true,
      meta: { title: 'pages.course', door: 'courses', needs: 'course_read' },
    },
    {
      path: '/timetables/import',
      name: 'timetable-import',
      component: () => import('./pages/TimetableImportPage.vue'),
      meta: { title: 'pages.timetable_import', needs: 'timetable_import' },
    },
    {
      path: '/capacity',
      name: 'capacity',
      component: () => import('./pages/CapacityPage.vue'),
      meta: { title: 'pages.capacity', needs: 'capacity_edit' },
    },
    {
      path: '/audit',
      name: 'audit',
      component: () => import('./pages/AuditPage.vue'),
      meta: { title: 'pages.audit', needs: 'audit_read' },
    },
    {
      path: '/:rest(.*)*',
      name: 'not-found',
      component: () => import('./pages/NotFoundPage.vue'),
      meta: { title: 'pages.not_found', open: true },
    },
  ],
})

router.beforeEach(async (to) => {
  const signIn = useSignIn()
  await signIn.restore()
  if (!signIn.account && !to.meta.open) return { name: 'sign-in', query: { to: to.fullPath } }
  if (signIn.account && to.name === 'sign-in') return { name: 'home' }
  return true
})
