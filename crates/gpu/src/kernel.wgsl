// Proof of GPU, the part that runs on a card; the same file for agents and browsers. The reference in Rust is the
// crate `proof`: ChaCha20 key streams as matrices, products of words that wrap, SHA-256 of every column.
//
// Matrices are `size` x `size` words, `size` a multiple of 64. A factor lies row after row, a result column after column;
// so both are read along the sum, four words at a time.

struct Job {
    // The challenge's key.
    key: array<vec4<u32>, 2>,
    size: u32,
    // Nonce of the stream; the round that is computed.
    round: u32,
    // First tile of rows, where a round is computed in pieces.
    first: u32,
    unused: u32,
}

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read> factor: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> before: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> result: array<vec4<u32>>;

fn rotate_left(x: vec4<u32>, by: u32) -> vec4<u32> {
    return (x << vec4(by)) | (x >> vec4(32u - by));
}

// A block of ChaCha20 (RFC 8439), four quarter rounds at once. Invocation (x, y) writes the sixteen words of line y from
// 16x on. Workgroups: (size / 64, size / 16).
@compute @workgroup_size(4, 16)
fn expand(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.y * (job.size / 16u) + id.x;
    let start = array<vec4<u32>, 4>(
        vec4(0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u),
        job.key[0],
        job.key[1],
        vec4(block, job.round, 0u, 0u),
    );
    var a = start[0];
    var b = start[1];
    var c = start[2];
    var d = start[3];
    for (var i = 0u; i < 20u; i++) {
        a += b; d = rotate_left(d ^ a, 16u);
        c += d; b = rotate_left(b ^ c, 12u);
        a += b; d = rotate_left(d ^ a, 8u);
        c += d; b = rotate_left(b ^ c, 7u);
        // After a round of columns the rows turn, so that the next one works on diagonals; after that, back again.
        if (i % 2u == 0u) {
            b = b.yzwx; c = c.zwxy; d = d.wxyz;
        } else {
            b = b.wxyz; c = c.zwxy; d = d.yzwx;
        }
    }
    result[4u * block] = a + start[0];
    result[4u * block + 1u] = b + start[1];
    result[4u * block + 2u] = c + start[2];
    result[4u * block + 3u] = d + start[3];
}

// Tiles of 64 rows and 64 columns, sixteen terms of the sum at a time; an invocation makes four rows of four columns.
// A line of terms has four words more than it needs, so that fewer of them meet in one bank.
const LINE = 68u;
var<workgroup> left: array<u32, 1088>;
var<workgroup> right: array<u32, 1088>;

// Workgroups: (size / 64 for columns, tiles of rows in this piece).
@compute @workgroup_size(16, 16)
fn multiply(
    @builtin(workgroup_id) tile: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let line = job.size / 4u;
    let row = (job.first + tile.y) * 64u;
    let column = tile.x * 64u;
    // What this invocation fetches: four terms of one row and of one column.
    let fetched = index / 4u;
    let term = (index % 4u) * 4u;
    let from_factor = (row + fetched) * line + index % 4u;
    let from_before = (column + fetched) * line + index % 4u;
    var sums = array<vec4<u32>, 4>();
    for (var step = 0u; step < line; step += 4u) {
        let terms = factor[from_factor + step];
        let others = before[from_before + step];
        workgroupBarrier();
        for (var t = 0u; t < 4u; t++) {
            left[(term + t) * LINE + fetched] = terms[t];
            right[(term + t) * LINE + fetched] = others[t];
        }
        workgroupBarrier();
        for (var t = 0u; t < 16u; t++) {
            let l = t * LINE + local.y * 4u;
            let r = t * LINE + local.x * 4u;
            let rows = vec4(left[l], left[l + 1u], left[l + 2u], left[l + 3u]);
            sums[0] += rows * right[r];
            sums[1] += rows * right[r + 1u];
            sums[2] += rows * right[r + 2u];
            sums[3] += rows * right[r + 3u];
        }
    }
    for (var c = 0u; c < 4u; c++) {
        result[(column + local.x * 4u + c) * line + row / 4u + local.y] = sums[c];
    }
}

const ROUND_CONSTANTS = array<u32, 64>(
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u,
    0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u,
    0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
    0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u,
    0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
    0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
    0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u,
);

fn rotate(x: u32, by: u32) -> u32 {
    return (x >> by) | (x << (32u - by));
}

// SHA-256 (FIPS 180-4) of a header and a column, as `proof::leaf` has it. Invocation x hashes column x of `before` into
// the leaf of its round. Workgroups: (size / 64).
@compute @workgroup_size(64)
fn digest(@builtin(global_invocation_id) id: vec3<u32>) {
    let column = id.x;
    var constants = ROUND_CONSTANTS;
    var hash = array<u32, 8>(
        0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au, 0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u,
    );
    // The header, the column, and the block that ends a message.
    let blocks = job.size / 16u + 2u;
    for (var block = 0u; block < blocks; block++) {
        var words = array<u32, 16>();
        if (block == 0u) {
            words[0] = 0x00425047u;
            words[1] = job.round;
            words[2] = column;
            words[3] = job.size;
        } else if (block == blocks - 1u) {
            words[0] = 0x80000000u;
            words[15] = (job.size + 16u) * 32u;
        } else {
            let begin = column * (job.size / 4u) + (block - 1u) * 4u;
            for (var four = 0u; four < 4u; four++) {
                let some = before[begin + four];
                words[4u * four] = some.x;
                words[4u * four + 1u] = some.y;
                words[4u * four + 2u] = some.z;
                words[4u * four + 3u] = some.w;
            }
        }
        var s = hash;
        for (var t = 0u; t < 64u; t++) {
            if (t >= 16u) {
                let w15 = words[(t + 1u) % 16u];
                let w2 = words[(t + 14u) % 16u];
                let s0 = rotate(w15, 7u) ^ rotate(w15, 18u) ^ (w15 >> 3u);
                let s1 = rotate(w2, 17u) ^ rotate(w2, 19u) ^ (w2 >> 10u);
                words[t % 16u] += s0 + words[(t + 9u) % 16u] + s1;
            }
            let e1 = rotate(s[4], 6u) ^ rotate(s[4], 11u) ^ rotate(s[4], 25u);
            let choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
            let t1 = s[7] + e1 + choice + constants[t] + words[t % 16u];
            let a0 = rotate(s[0], 2u) ^ rotate(s[0], 13u) ^ rotate(s[0], 22u);
            let majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
            s = array<u32, 8>(t1 + a0 + majority, s[0], s[1], s[2], s[3] + t1, s[4], s[5], s[6]);
        }
        for (var i = 0u; i < 8u; i++) {
            hash[i] += s[i];
        }
    }
    let leaf = 2u * ((job.round - 1u) * job.size + column);
    result[leaf] = vec4(hash[0], hash[1], hash[2], hash[3]);
    result[leaf + 1u] = vec4(hash[4], hash[5], hash[6], hash[7]);
}
