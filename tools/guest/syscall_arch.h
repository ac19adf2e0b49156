/* SPDX-License-Identifier: ISC */
/* Found by musl's build before its own header of this name: every system call is a call of a C function, which the
 * guest defines (host/guest/syscall.c), so that no `syscall` instruction is left. No vDSO. */
#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

long guest_syscall(long n, long a, long b, long c, long d, long e, long f);

static __inline long __syscall0(long n)
{
        return guest_syscall(n, 0, 0, 0, 0, 0, 0);
}

static __inline long __syscall1(long n, long a)
{
        return guest_syscall(n, a, 0, 0, 0, 0, 0);
}

static __inline long __syscall2(long n, long a, long b)
{
        return guest_syscall(n, a, b, 0, 0, 0, 0);
}

static __inline long __syscall3(long n, long a, long b, long c)
{
        return guest_syscall(n, a, b, c, 0, 0, 0);
}

static __inline long __syscall4(long n, long a, long b, long c, long d)
{
        return guest_syscall(n, a, b, c, d, 0, 0);
}

static __inline long __syscall5(long n, long a, long b, long c, long d, long e)
{
        return guest_syscall(n, a, b, c, d, e, 0);
}

static __inline long __syscall6(long n, long a, long b, long c, long d, long e, long f)
{
        return guest_syscall(n, a, b, c, d, e, f);
}

#define IPC_64 0
