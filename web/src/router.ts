// Where each page stands. Every page is its own chunk; all but the sign-in need a signed-in person.
import { createRouter, createWebHistory } from 'vue-router'
import { useSignIn } from './stores/signIn'

export const router = createRouter({
  history: createWebHistory(),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
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
      meta: { title: 'pages.schedule' },
    },
    {
      path: '/sessions/:id',
      name: 'session',
      component: () => import('./pages/SessionPage.vue'),
      props: true,
      meta: { title: 'pages.session' },
    },
    {
      path: '/sessions/:id/watch',
      name: 'watch',
      component: () => import('./pages/WatchPage.vue'),
      props: true,
      meta: { title: 'pages.watch', stage: true },
    },
    {
      path: '/recordings',
      name: 'recordings',
      component: () => import('./pages/RecordingsPage.vue'),
      meta: { title: 'pages.recordings' },
    },
    {
      path: '/recordings/:id',
      name: 'replay',
      component: () => import('./pages/ReplayPage.vue'),
      props: true,
      meta: { title: 'pages.replay' },
    },
    {
      path: '/recordings/:id/certificate',
      name: 'certificate',
      component: () => import('./pages/CertificatePage.vue'),
      props: true,
      meta: { title: 'pages.certificate' },
    },
    {
      path: '/certificates',
      name: 'certificates',
      component: () => import('./pages/CertificatesPage.vue'),
      meta: { title: 'pages.certificates' },
    },
    {
      path: '/courses',
      name: 'courses',
      component: () => import('./pages/CoursesPage.vue'),
      meta: { title: 'pages.courses' },
    },
    {
      path: '/courses/:id',
      name: 'course',
      component: () => import('./pages/CoursePage.vue'),
      props: true,
      meta: { title: 'pages.course' },
    },
    {
      path: '/timetables/import',
      name: 'timetable-import',
      component: () => import('./pages/TimetableImportPage.vue'),
      meta: { title: 'pages.timetable_import' },
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
