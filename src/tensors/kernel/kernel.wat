;; Statistics and histograms of numbers in `memory`. Runs have a multiple of 8 elements and start at a multiple of 16
;; bytes: whoever calls fills up with NaN. What one call found stands in the exported globals until the next.
(module
  (memory (export "memory") 21)
  ;; Of x - shift over the finite values x: their sum and the sum of their squares.
  (global $sum (export "sum") (mut f64) (f64.const 0))
  (global $squares (export "squares") (mut f64) (f64.const 0))
  ;; The least and the greatest finite value, and maybe the shift.
  (global $min (export "min") (mut f64) (f64.const 0))
  (global $max (export "max") (mut f64) (f64.const 0))
  (global $zeros (export "zeros") (mut i32) (i32.const 0))
  (global $finite (export "finite") (mut i32) (i32.const 0))
  ;; Values that are a number or infinite.
  (global $ordered (export "ordered") (mut i32) (i32.const 0))
  ;; The least and the greatest integer that `integers64` met since they were set.
  (global $min64 (export "min64") (mut i64) (i64.const 0))
  (global $max64 (export "max64") (mut i64) (i64.const 0))

  (func $reset
    (global.set $sum (f64.const 0))
    (global.set $squares (f64.const 0))
    (global.set $min (f64.const inf))
    (global.set $max (f64.const -inf))
    (global.set $zeros (i32.const 0))
    (global.set $finite (i32.const 0))
    (global.set $ordered (i32.const 0)))

  (func $lanes (param $v v128) (result i32)
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $v)) (i32x4.extract_lane 1 (local.get $v)))
      (i32.add (i32x4.extract_lane 2 (local.get $v)) (i32x4.extract_lane 3 (local.get $v)))))

  (func $both (param $v v128) (result f64)
    (f64.add (f64x2.extract_lane 0 (local.get $v)) (f64x2.extract_lane 1 (local.get $v))))

  ;; Float32. Sums are taken in float64 by blocks of 4,096 values, which bounds their error. A block is taken for finite
  ;; first; one whose sum is not is gone through again with its NaN and infinities replaced by the shift, a float32.
  (func (export "float32") (param $at i32) (param $count i32) (param $shift f64)
    (local $end i32) (local $blockEnd i32) (local $start i32)
    (local $x v128) (local $y v128) (local $d v128) (local $m v128)
    (local $c v128) (local $c32 v128) (local $zero v128)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (local $q0 v128) (local $q1 v128) (local $q2 v128) (local $q3 v128)
    (local $min0 v128) (local $min1 v128) (local $max0 v128) (local $max1 v128)
    (local $zeros v128) (local $finite v128) (local $ordered v128)
    (call $reset)
    (local.set $c (f64x2.splat (local.get $shift)))
    (local.set $c32 (f32x4.splat (f32.demote_f64 (local.get $shift))))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 2))))
    (block $done
      (loop $block
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $start (local.get $at))
        (local.set $blockEnd (i32.add (local.get $at) (i32.const 16384)))
        (if (i32.gt_u (local.get $blockEnd) (local.get $end)) (then (local.set $blockEnd (local.get $end))))
        (local.set $s0 (local.get $zero)) (local.set $s1 (local.get $zero))
        (local.set $s2 (local.get $zero)) (local.set $s3 (local.get $zero))
        (local.set $q0 (local.get $zero)) (local.set $q1 (local.get $zero))
        (local.set $q2 (local.get $zero)) (local.set $q3 (local.get $zero))
        (local.set $zeros (local.get $zero))
        (local.set $min0 (f32x4.splat (f32.const inf))) (local.set $min1 (local.get $min0))
        (local.set $max0 (f32x4.splat (f32.const -inf))) (local.set $max1 (local.get $max0))
        (loop $fast
          (local.set $x (v128.load (local.get $at)))
          (local.set $y (v128.load offset=16 (local.get $at)))
          (local.set $min0 (f32x4.pmin (local.get $min0) (local.get $x)))
          (local.set $max0 (f32x4.pmax (local.get $max0) (local.get $x)))
          (local.set $min1 (f32x4.pmin (local.get $min1) (local.get $y)))
          (local.set $max1 (f32x4.pmax (local.get $max1) (local.get $y)))
          (local.set $zeros (i32x4.sub (local.get $zeros) (f32x4.eq (local.get $x) (local.get $zero))))
          (local.set $zeros (i32x4.sub (local.get $zeros) (f32x4.eq (local.get $y) (local.get $zero))))
          (local.set $d (f64x2.sub (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $at))) (local.get $c)))
          (local.set $s0 (f64x2.add (local.get $s0) (local.get $d)))
          (local.set $q0 (f64x2.add (local.get $q0) (f64x2.mul (local.get $d) (local.get $d))))
          (local.set $d
            (f64x2.sub (f64x2.promote_low_f32x4 (v128.load64_zero offset=8 (local.get $at))) (local.get $c)))
          (local.set $s1 (f64x2.add (local.get $s1) (local.get $d)))
          (local.set $q1 (f64x2.add (local.get $q1) (f64x2.mul (local.get $d) (local.get $d))))
          (local.set $d
            (f64x2.sub (f64x2.promote_low_f32x4 (v128.load64_zero offset=16 (local.get $at))) (local.get $c)))
          (local.set $s2 (f64x2.add (local.get $s2) (local.get $d)))
          (local.set $q2 (f64x2.add (local.get $q2) (f64x2.mul (local.get $d) (local.get $d))))
          (local.set $d
            (f64x2.sub (f64x2.promote_low_f32x4 (v128.load64_zero offset=24 (local.get $at))) (local.get $c)))
          (local.set $s3 (f64x2.add (local.get $s3) (local.get $d)))
          (local.set $q3 (f64x2.add (local.get $q3) (f64x2.mul (local.get $d) (local.get $d))))
          (local.set $at (i32.add (local.get $at) (i32.const 32)))
          (br_if $fast (i32.lt_u (local.get $at) (local.get $blockEnd))))
        (local.set $s0
          (f64x2.add
            (f64x2.add (local.get $s0) (local.get $s1))
            (f64x2.add (local.get $s2) (local.get $s3))))
        (local.set $finite (i32x4.splat (i32.shr_u (i32.sub (local.get $at) (local.get $start)) (i32.const 4))))
        (local.set $ordered (local.get $finite))
        (if (i32.eqz (call $isFinite (call $both (local.get $s0))))
          (then
            (local.set $at (local.get $start))
            (local.set $s0 (local.get $zero)) (local.set $s1 (local.get $zero))
            (local.set $q0 (local.get $zero)) (local.set $q1 (local.get $zero))
            (local.set $q2 (local.get $zero)) (local.set $q3 (local.get $zero))
            (local.set $zeros (local.get $zero))
            (local.set $finite (local.get $zero)) (local.set $ordered (local.get $zero))
            (local.set $min0 (local.get $c32)) (local.set $min1 (local.get $c32))
            (local.set $max0 (local.get $c32)) (local.set $max1 (local.get $c32))
            (loop $masked
              (local.set $x (v128.load (local.get $at)))
              (local.set $m (f32x4.eq (f32x4.sub (local.get $x) (local.get $x)) (local.get $zero)))
              (local.set $finite (i32x4.sub (local.get $finite) (local.get $m)))
              (local.set $ordered (i32x4.sub (local.get $ordered) (f32x4.eq (local.get $x) (local.get $x))))
              (local.set $zeros (i32x4.sub (local.get $zeros) (f32x4.eq (local.get $x) (local.get $zero))))
              (local.set $x (v128.bitselect (local.get $x) (local.get $c32) (local.get $m)))
              (local.set $min0 (f32x4.pmin (local.get $min0) (local.get $x)))
              (local.set $max0 (f32x4.pmax (local.get $max0) (local.get $x)))
              (local.set $d (f64x2.sub (f64x2.promote_low_f32x4 (local.get $x)) (local.get $c)))
              (local.set $s0 (f64x2.add (local.get $s0) (local.get $d)))
              (local.set $q0 (f64x2.add (local.get $q0) (f64x2.mul (local.get $d) (local.get $d))))
              (local.set $x
                (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $x) (local.get $x)))
              (local.set $d (f64x2.sub (f64x2.promote_low_f32x4 (local.get $x)) (local.get $c)))
              (local.set $s1 (f64x2.add (local.get $s1) (local.get $d)))
              (local.set $q1 (f64x2.add (local.get $q1) (f64x2.mul (local.get $d) (local.get $d))))
              (local.set $at (i32.add (local.get $at) (i32.const 16)))
              (br_if $masked (i32.lt_u (local.get $at) (local.get $blockEnd))))
            (local.set $s0 (f64x2.add (local.get $s0) (local.get $s1)))))
        (call $take32
          (f32x4.pmin (local.get $min0) (local.get $min1))
          (f32x4.pmax (local.get $max0) (local.get $max1)))
        (call $add
          (local.get $s0)
          (f64x2.add
            (f64x2.add (local.get $q0) (local.get $q1))
            (f64x2.add (local.get $q2) (local.get $q3)))
          (call $lanes (local.get $zeros))
          (call $lanes (local.get $finite))
          (call $lanes (local.get $ordered)))
        (br $block))))

  (func $isFinite (param $x f64) (result i32)
    (f64.eq (f64.sub (local.get $x) (local.get $x)) (f64.const 0)))

  (func $take32 (param $min v128) (param $max v128)
    (call $take
      (f64x2.pmin
        (f64x2.promote_low_f32x4 (local.get $min))
        (f64x2.promote_low_f32x4
          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $min) (local.get $min))))
      (f64x2.pmax
        (f64x2.promote_low_f32x4 (local.get $max))
        (f64x2.promote_low_f32x4
          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $max) (local.get $max))))))

  (func $take (param $min v128) (param $max v128)
    (global.set $min
      (f64.min (global.get $min)
        (f64.min (f64x2.extract_lane 0 (local.get $min)) (f64x2.extract_lane 1 (local.get $min)))))
    (global.set $max
      (f64.max (global.get $max)
        (f64.max (f64x2.extract_lane 0 (local.get $max)) (f64x2.extract_lane 1 (local.get $max))))))

  (func $add (param $sums v128) (param $squares v128) (param $zeros i32) (param $finite i32) (param $ordered i32)
    (global.set $sum (f64.add (global.get $sum) (call $both (local.get $sums))))
    (global.set $squares (f64.add (global.get $squares) (call $both (local.get $squares))))
    (global.set $zeros (i32.add (global.get $zeros) (local.get $zeros)))
    (global.set $finite (i32.add (global.get $finite) (local.get $finite)))
    (global.set $ordered (i32.add (global.get $ordered) (local.get $ordered))))

  ;; Float64, in the same way.
  (func (export "float64") (param $at i32) (param $count i32) (param $shift f64)
    (local $end i32) (local $blockEnd i32) (local $start i32)
    (local $x v128) (local $y v128) (local $d v128) (local $m v128) (local $c v128) (local $zero v128)
    (local $s0 v128) (local $s1 v128) (local $q0 v128) (local $q1 v128)
    (local $min0 v128) (local $min1 v128) (local $max0 v128) (local $max1 v128)
    (local $zeros v128) (local $finite v128) (local $ordered v128)
    (call $reset)
    (local.set $c (f64x2.splat (local.get $shift)))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 3))))
    (block $done
      (loop $block
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $start (local.get $at))
        (local.set $blockEnd (i32.add (local.get $at) (i32.const 16384)))
        (if (i32.gt_u (local.get $blockEnd) (local.get $end)) (then (local.set $blockEnd (local.get $end))))
        (local.set $s0 (local.get $zero)) (local.set $s1 (local.get $zero))
        (local.set $q0 (local.get $zero)) (local.set $q1 (local.get $zero))
        (local.set $zeros (local.get $zero))
        (local.set $min0 (f64x2.splat (f64.const inf))) (local.set $min1 (local.get $min0))
        (local.set $max0 (f64x2.splat (f64.const -inf))) (local.set $max1 (local.get $max0))
        (loop $fast
          (local.set $x (v128.load (local.get $at)))
          (local.set $y (v128.load offset=16 (local.get $at)))
          (local.set $min0 (f64x2.pmin (local.get $min0) (local.get $x)))
          (local.set $max0 (f64x2.pmax (local.get $max0) (local.get $x)))
          (local.set $min1 (f64x2.pmin (local.get $min1) (local.get $y)))
          (local.set $max1 (f64x2.pmax (local.get $max1) (local.get $y)))
          (local.set $zeros (i64x2.sub (local.get $zeros) (f64x2.eq (local.get $x) (local.get $zero))))
          (local.set $zeros (i64x2.sub (local.get $zeros) (f64x2.eq (local.get $y) (local.get $zero))))
          (local.set $d (f64x2.sub (local.get $x) (local.get $c)))
          (local.set $s0 (f64x2.add (local.get $s0) (local.get $d)))
          (local.set $q0 (f64x2.add (local.get $q0) (f64x2.mul (local.get $d) (local.get $d))))
          (local.set $d (f64x2.sub (local.get $y) (local.get $c)))
          (local.set $s1 (f64x2.add (local.get $s1) (local.get $d)))
          (local.set $q1 (f64x2.add (local.get $q1) (f64x2.mul (local.get $d) (local.get $d))))
          (local.set $at (i32.add (local.get $at) (i32.const 32)))
          (br_if $fast (i32.lt_u (local.get $at) (local.get $blockEnd))))
        (local.set $s0 (f64x2.add (local.get $s0) (local.get $s1)))
        (local.set $finite
          (i64x2.splat (i64.extend_i32_u (i32.shr_u (i32.sub (local.get $at) (local.get $start)) (i32.const 4)))))
        (local.set $ordered (local.get $finite))
        (if (i32.eqz (call $isFinite (call $both (local.get $s0))))
          (then
            (local.set $at (local.get $start))
            (local.set $s0 (local.get $zero))
            (local.set $q0 (local.get $zero)) (local.set $q1 (local.get $zero))
            (local.set $zeros (local.get $zero))
            (local.set $finite (local.get $zero)) (local.set $ordered (local.get $zero))
            (local.set $min0 (local.get $c)) (local.set $min1 (local.get $c))
            (local.set $max0 (local.get $c)) (local.set $max1 (local.get $c))
            (loop $masked
              (local.set $x (v128.load (local.get $at)))
              (local.set $m (f64x2.eq (f64x2.sub (local.get $x) (local.get $x)) (local.get $zero)))
              (local.set $finite (i64x2.sub (local.get $finite) (local.get $m)))
              (local.set $ordered (i64x2.sub (local.get $ordered) (f64x2.eq (local.get $x) (local.get $x))))
              (local.set $zeros (i64x2.sub (local.get $zeros) (f64x2.eq (local.get $x) (local.get $zero))))
              (local.set $x (v128.bitselect (local.get $x) (local.get $c) (local.get $m)))
              (local.set $min0 (f64x2.pmin (local.get $min0) (local.get $x)))
              (local.set $max0 (f64x2.pmax (local.get $max0) (local.get $x)))
              (local.set $d (f64x2.sub (local.get $x) (local.get $c)))
              (local.set $s0 (f64x2.add (local.get $s0) (local.get $d)))
              (local.set $q0 (f64x2.add (local.get $q0) (f64x2.mul (local.get $d) (local.get $d))))
              (local.set $at (i32.add (local.get $at) (i32.const 16)))
              (br_if $masked (i32.lt_u (local.get $at) (local.get $blockEnd))))))
        (call $take
          (f64x2.pmin (local.get $min0) (local.get $min1))
          (f64x2.pmax (local.get $max0) (local.get $max1)))
        (call $add
          (local.get $s0)
          (f64x2.add (local.get $q0) (local.get $q1))
          (call $lanes (local.get $zeros))
          (call $lanes (local.get $finite))
          (call $lanes (local.get $ordered)))
        (br $block))))

  ;; Counts finite float64 values by bins: `edges` are 65 float64, rising; `counts` four tables of 64 uint32, so that
  ;; equal values in a row do not wait for one another. `scale` is bins per unit. A guess is right unless it is within
  ;; `margin` of an edge; there the edges themselves decide.
  (func (export "histogram")
    (param $at i32) (param $count i32) (param $edges i32) (param $counts i32) (param $scale f64) (param $margin f64)
    (local $end i32) (local $to i32) (local $last i32) (local $bin i32) (local $value f64) (local $low f64) (local $high f64)
    (local $vlow v128) (local $vscale v128) (local $half v128) (local $magic v128) (local $limit v128)
    (local $t0 v128) (local $t1 v128) (local $u0 v128) (local $u1 v128)
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 3))))
    (local.set $low (f64.load (local.get $edges)))
    (local.set $high (f64.load offset=512 (local.get $edges)))
    (local.set $vlow (f64x2.splat (local.get $low)))
    (local.set $vscale (f64x2.splat (local.get $scale)))
    (local.set $half (f64x2.splat (f64.const 0.5)))
    ;; 1.5 * 2^52: adding it rounds to an integer, which then stands in the low bits, also where that is 0 from below.
    (local.set $magic (f64x2.splat (f64.const 6755399441055744)))
    (local.set $limit (f64x2.splat (f64.sub (f64.const 0.5) (local.get $margin))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $t0
          (f64x2.sub
            (f64x2.mul (f64x2.sub (v128.load (local.get $at)) (local.get $vlow)) (local.get $vscale))
            (local.get $half)))
        (local.set $t1
          (f64x2.sub
            (f64x2.mul (f64x2.sub (v128.load offset=16 (local.get $at)) (local.get $vlow)) (local.get $vscale))
            (local.get $half)))
        (local.set $u0 (f64x2.add (local.get $t0) (local.get $magic)))
        (local.set $u1 (f64x2.add (local.get $t1) (local.get $magic)))
        (if
          (i64x2.all_true
            (v128.and
              (f64x2.le
                (f64x2.abs (f64x2.sub (local.get $t0) (f64x2.sub (local.get $u0) (local.get $magic))))
                (local.get $limit))
              (f64x2.le
                (f64x2.abs (f64x2.sub (local.get $t1) (f64x2.sub (local.get $u1) (local.get $magic))))
                (local.get $limit))))
          (then
            (local.set $to (i32.add (local.get $counts) (i32.shl (i32x4.extract_lane 0 (local.get $u0)) (i32.const 2))))
            (i32.store (local.get $to) (i32.add (i32.load (local.get $to)) (i32.const 1)))
            (local.set $to (i32.add (local.get $counts) (i32.add (i32.const 256) (i32.shl (i32x4.extract_lane 2 (local.get $u0)) (i32.const 2)))))
            (i32.store (local.get $to) (i32.add (i32.load (local.get $to)) (i32.const 1)))
            (local.set $to (i32.add (local.get $counts) (i32.add (i32.const 512) (i32.shl (i32x4.extract_lane 0 (local.get $u1)) (i32.const 2)))))
            (i32.store (local.get $to) (i32.add (i32.load (local.get $to)) (i32.const 1)))
            (local.set $to (i32.add (local.get $counts) (i32.add (i32.const 768) (i32.shl (i32x4.extract_lane 2 (local.get $u1)) (i32.const 2)))))
            (i32.store (local.get $to) (i32.add (i32.load (local.get $to)) (i32.const 1)))
            (local.set $at (i32.add (local.get $at) (i32.const 32))))
          (else
            (local.set $last (i32.add (local.get $at) (i32.const 32)))
            (loop $careful
              (local.set $value (f64.load (local.get $at)))
              (if
                (i32.and
                  (f64.ge (local.get $value) (local.get $low))
                  (f64.le (local.get $value) (local.get $high)))
                (then
                  (local.set $bin
                    (i32.trunc_sat_f64_u
                      (f64.min
                        (f64.const 63)
                        (f64.mul (f64.sub (local.get $value) (local.get $low)) (local.get $scale)))))
                  (block $down
                    (loop $lower
                      (br_if $down (i32.eqz (local.get $bin)))
                      (br_if $down
                        (f64.ge (local.get $value)
                          (f64.load (i32.add (local.get $edges) (i32.shl (local.get $bin) (i32.const 3))))))
                      (local.set $bin (i32.sub (local.get $bin) (i32.const 1)))
                      (br $lower)))
                  (block $up
                    (loop $higher
                      (br_if $up (i32.eq (local.get $bin) (i32.const 63)))
                      (br_if $up
                        (f64.lt (local.get $value)
                          (f64.load offset=8
                            (i32.add (local.get $edges) (i32.shl (local.get $bin) (i32.const 3))))))
                      (local.set $bin (i32.add (local.get $bin) (i32.const 1)))
                      (br $higher)))
                  (local.set $to (i32.add (local.get $counts) (i32.shl (local.get $bin) (i32.const 2))))
            (i32.store (local.get $to) (i32.add (i32.load (local.get $to)) (i32.const 1)))))
              (local.set $at (i32.add (local.get $at) (i32.const 8)))
              (br_if $careful (i32.lt_u (local.get $at) (local.get $last))))))
        (br $next))))

  ;; Float32 as float64. `to` may not overlap with what is still to be read.
  (func (export "widenFloat32") (param $at i32) (param $count i32) (param $to i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 2))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (v128.store (local.get $to) (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $at))))
        (v128.store offset=16 (local.get $to) (f64x2.promote_low_f32x4 (v128.load64_zero offset=8 (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 32)))
        (br $next))))

  ;; 32-bit integers as float64: exact.
  (func (export "widenInt32") (param $at i32) (param $count i32) (param $to i32) (param $unsigned i32)
    (local $end i32) (local $x f64)
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 2))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (if (local.get $unsigned)
          (then (v128.store (local.get $to) (f64x2.convert_low_i32x4_u (v128.load64_zero (local.get $at)))))
          (else (v128.store (local.get $to) (f64x2.convert_low_i32x4_s (v128.load64_zero (local.get $at))))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (br $next))))

  ;; 64-bit integers as the nearest float64, in place; `min64` and `max64` take what is beyond them. `flip` is the sign
  ;; bit for unsigned ones, which makes their order that of signed ones, else 0.
  (func (export "widenInt64") (param $at i32) (param $count i32) (param $flip i64)
    (local $end i32) (local $x i64) (local $y i64) (local $min i64) (local $max i64)
    (local.set $min (global.get $min64))
    (local.set $max (global.get $max64))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 3))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $x (i64.load (local.get $at)))
        (local.set $y (i64.xor (local.get $x) (local.get $flip)))
        (if (i64.lt_s (local.get $y) (local.get $min)) (then (local.set $min (local.get $y))))
        (if (i64.gt_s (local.get $y) (local.get $max)) (then (local.set $max (local.get $y))))
        (f64.store (local.get $at)
          (if (result f64) (i64.eqz (local.get $flip))
            (then (f64.convert_i64_s (local.get $x)))
            (else (f64.convert_i64_u (local.get $x)))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $next)))
    (global.set $min64 (local.get $min))
    (global.set $max64 (local.get $max)))

  ;; How often each byte occurs: four tables of 256 uint32.
  (func (export "countBytes") (param $at i32) (param $count i32) (param $counts i32)
    (local $end i32) (local $x i32) (local $to i32)
    (local.set $end (i32.add (local.get $at) (local.get $count)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $x (i32.load (local.get $at)))
        (local.set $to (i32.add (local.get $counts) (i32.shl (i32.and (local.get $x) (i32.const 255)) (i32.const 2))))
            (i32.store (local.get $to) (i32.add (i32.load (local.get $to)) (i32.const 1)))
        (local.set $to (i32.add (i32.add (local.get $counts) (i32.const 1024)) (i32.and (i32.shr_u (local.get $x) (i32.const 6)) (i32.const 1020))))
            (i32.store (local.get $to) (i32.add (i32.load (local.get $to)) (i32.const 1)))
        (local.set $to (i32.add (i32.add (local.get $counts) (i32.const 2048)) (i32.and (i32.shr_u (local.get $x) (i32.const 14)) (i32.const 1020))))
            (i32.store (local.get $to) (i32.add (i32.load (local.get $to)) (i32.const 1)))
        (local.set $to (i32.add (i32.add (local.get $counts) (i32.const 3072)) (i32.and (i32.shr_u (local.get $x) (i32.const 22)) (i32.const 1020))))
            (i32.store (local.get $to) (i32.add (i32.load (local.get $to)) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br $next))))

  ;; How often each 16-bit code occurs: two tables of 65,536 uint32.
  (func (export "countPairs") (param $at i32) (param $count i32) (param $counts i32)
    (local $end i32) (local $x i32) (local $to i32)
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 1))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $x (i32.load (local.get $at)))
        (local.set $to (i32.add (local.get $counts) (i32.shl (i32.and (local.get $x) (i32.const 65535)) (i32.const 2))))
            (i32.store (local.get $to) (i32.add (i32.load (local.get $to)) (i32.const 1)))
        (local.set $to (i32.add (i32.add (local.get $counts) (i32.const 262144)) (i32.shl (i32.shr_u (local.get $x) (i32.const 16)) (i32.const 2))))
            (i32.store (local.get $to) (i32.add (i32.load (local.get $to)) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br $next)))))
