// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Model, Slash} from "./Model.sol";

/// Stake that comes and goes, and slashes of it.
abstract contract StakeHandler is Model {
    uint256 private constant SLASHES_MAX = 12;
    address private constant NOWHERE = 0x000000000000000000000000000000000000dEaD;
    address private constant PURSE = address(0x57A4E);

    function stake(uint256 r, uint72 amount) external {
        r = r % 2;
        amount = uint72(bound(amount, 1, 2 * uint256(PRICE)));
        bytes memory call = abi.encodeCall(market.stake, (resources[r], amount));
        if (_do(owners[r], call, market.paused(), STAKE_PAUSED)) staked[r] += amount;
    }

    function unstake(uint256 r, uint72 amount) external {
        r = r % 2;
        amount = uint72(bound(amount, 1, 3 * uint256(PRICE)));
        bool refused = amount > freeOf(r);
        if (!_do(owners[r], abi.encodeCall(market.unstake, (resources[r], amount)), refused, UNSTAKE)) return;
        unbonding[r] += amount;
        availableAt[r] = vm.getBlockTimestamp() + 14 days;
    }

    function withdrawStake(uint256 r, uint8 far) external {
        r = r % 2;
        if (far < 48) _elapse(14 days);
        bool refused = unbonding[r] == 0 || vm.getBlockTimestamp() < availableAt[r];
        if (!_do(owners[r], abi.encodeCall(market.withdrawStake, (resources[r], PURSE)), refused, WITHDRAW)) return;
        (staked[r], unbonding[r]) = (staked[r] - unbonding[r], 0);
    }

    /// By the prosecutor; now and then for more than a fifth.
    function propose(uint256 r, uint256 amount, uint128 loss, bool harms) external {
        if (_slashes.length == SLASHES_MAX) return;
        r = r % 2;
        uint256 free = freeOf(r);
        uint256 most = (free + unbonding[r]) / 5;
        amount = bound(amount, 1, most + most / 4 + 1);
        loss = harms ? uint128(bound(loss, 0, 2 * amount)) : 0;
        address harmed = harms ? renters[loss % 2] : address(0);
        bytes memory call = abi.encodeCall(market.proposeSlash, (resources[r], harmed, uint72(amount), loss, ""));
        if (!_do(ADMIN, call, amount > most, SLASH_SIZE)) return;
        uint256 fromUnbonding = amount > free ? amount - free : 0;
        unbonding[r] -= fromUnbonding;
        contested[r] += amount;
        _slashes.push(
            Slash({
                r: r,
                harmed: harmed,
                amount: amount,
                loss: loss,
                until: vm.getBlockTimestamp() + 48 hours,
                status: 1,
                fromUnbonding: fromUnbonding
            })
        );
    }

    function contest(uint256 seed) external {
        if (_slashes.length == 0) return;
        uint256 i = seed % _slashes.length;
        Slash storage slash = _slashes[i];
        bool refused = slash.status != 1 || vm.getBlockTimestamp() > slash.until;
        if (!_do(owners[slash.r], abi.encodeCall(market.contestSlash, (i + 1, "")), refused, SLASH_TIMES)) return;
        slash.status = 2;
    }

    function decide(uint256 seed, bool guilty) external {
        if (_slashes.length == 0) return;
        uint256 i = seed % _slashes.length;
        bytes memory call = abi.encodeCall(market.decideSlash, (i + 1, guilty));
        _settle(_slashes[i], ADMIN, call, _slashes[i].status != 2, guilty);
    }

    function execute(uint256 seed) external {
        if (_slashes.length == 0) return;
        uint256 i = seed % _slashes.length;
        Slash storage slash = _slashes[i];
        bool early = vm.getBlockTimestamp() <= slash.until + (slash.status == 2 ? 7 days : 0);
        _settle(
            slash, PURSE, abi.encodeCall(market.executeSlash, (i + 1)), early || slash.status > 2, slash.status == 1
        );
    }

    function _settle(Slash storage slash, address by, bytes memory call, bool refused, bool guilty) private {
        uint256 rich = token.balanceOf(slash.harmed) + market.credits(slash.harmed);
        uint256 burned = token.balanceOf(NOWHERE);
        if (!_do(by, call, refused, SLASH_TIMES)) return;
        slash.status = 3;
        contested[slash.r] -= slash.amount;
        if (guilty) staked[slash.r] -= slash.amount;
        else unbonding[slash.r] += slash.fromUnbonding;
        uint256 due = !guilty ? 0 : slash.loss < slash.amount ? slash.loss : slash.amount;
        uint256 rest = guilty ? slash.amount - due : 0;
        rich = token.balanceOf(slash.harmed) + market.credits(slash.harmed) - rich;
        _flawIf(rich != due || token.balanceOf(NOWHERE) - burned != rest, SLASH_MONEY);
    }

    /// Everybody else's hand on the stake.
    function grab(uint256 r, uint256 verb, uint256 seed) external {
        r = r % 2;
        uint256 id = _slashes.length == 0 ? 1 : seed % _slashes.length + 1;
        bytes[5] memory calls = [
            abi.encodeCall(market.unstake, (resources[r], 1)),
            abi.encodeCall(market.withdrawStake, (resources[r], PURSE)),
            abi.encodeCall(market.proposeSlash, (resources[r], renters[1], 1, 1, "")),
            abi.encodeCall(market.contestSlash, (id, "")),
            abi.encodeCall(market.decideSlash, (id, true))
        ];
        _do(renters[0], calls[verb % 5], true, STAKE_STRANGERS);
    }
}
