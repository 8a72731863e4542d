// A mutant for every numbered check of the campaigns: the contract with one line broken, which this very check must
// notice when it is the only one that speaks. `node mutate.mjs checks` applies them, each in a copy.
//
// [check, campaign, file, the line, the line broken, "fast" for those that every test run tries]

const MARKET = "src/Market.sol";
const ACCRUAL = "src/libraries/Accrual.sol";
const CLOCK = "src/libraries/Clock.sol";
const SETTLEMENT = "src/libraries/Settlement.sol";
const TERMS = "src/libraries/TermsLib.sol";
const ESCROW = "src/market/Escrow.sol";
const JOBS = "src/market/Jobs.sol";
const REGISTRY = "src/market/Registry.sol";
const SIGNED = "src/market/Signed.sol";
const DISPUTES = "src/market/court/Disputes.sol";
const INCIDENTS = "src/market/court/Incidents.sol";
const ORDERS = "src/market/court/Orders.sol";
const SLASHES = "src/market/court/Slashes.sol";
const STAKES = "src/market/court/Stakes.sol";
const CHANNELS = "src/x402/BatchSettlement.sol";
const DEPOSITS = "src/x402/JobDeposits.sol";
const ACCOUNT = "src/x402/DepositAccount.sol";
const TILL = "src/x402/ProviderTill.sol";
const WALLET = "src/wallet/Till.sol";
const ID = "keccak256(abi.encode(block.chainid, address(this), terms))";

export const MUTANTS = [
  // ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────
  [1, "Jobs", ESCROW, "_credits[msg.sender] = 0;", ""],
  [2, "Jobs", MARKET, "refunded = terms.locked(job.extraSeconds());", "refunded = terms.locked(job.extraSeconds()) - Amount.wrap(1);", "fast"],
  [3, "Jobs", SETTLEMENT, "bill.paid = earned_ - bill.fee;", "bill.paid = earned_ - bill.fee - bill.fee;"],
  [4, "Jobs", ACCRUAL, ".max(minCharge).min(locked)", ".min(locked)"],
  [5, "Jobs", ACCRUAL, "* feeBps / BPS", "* feeBps / BPS + 1"],
  [6, "Jobs", JOBS, "job.withSince(uint40(block.timestamp))", "job.withSince(uint40(block.timestamp + 1))", "fast"],
  [7, "Jobs", MARKET, "job.pausedSeconds() + uint32(block.timestamp - job.endedAt())", "job.pausedSeconds()"],
  [8, "Jobs", CLOCK, "? pauseLeft(job) :", "? PAUSE_WITHIN :"],
  [9, "Jobs", SETTLEMENT, "if (job.paidSeconds() == 0)", "if (job.paidSeconds() != 0)"],
  [10, "Jobs", SETTLEMENT, "if (Accrual.cost(terms.price(), Seconds.wrap(job.coverSeconds())) < minimum) return (until, NO_AMOUNT);", ""],
  [11, "Jobs", REGISTRY, "flags &= ~BUSY", "flags |= BUSY"],
  [12, "Jobs", JOBS, "withFeeBps(feeBps_)", "withFeeBps(feeBps_ + 1)"],
  [13, "Jobs", MARKET, "        _sendToProvider(_providerOf(terms.resourceId), payNow);\n        _sendOrCredit(terms.renter, refunded);", "        _sendToProvider(_providerOf(terms.resourceId), payNow);"],
  [14, "Jobs", MARKET, "function completeJob(Terms calldata terms, Outcome outcome, bytes32 resultDigest) external {", "function completeJob(Terms calldata terms, Outcome outcome, bytes32 resultDigest) external whenNotPaused {"],
  [15, "Jobs", JOBS, "later: terms.notBefore > block.timestamp", "later: terms.notBefore != 0"],
  [16, "Jobs", MARKET, "_requireNotAfter(Clock.acceptDeadline(job));", ""],
  [17, "Jobs", MARKET, "require(block.timestamp >= terms.notBefore, TooEarly(terms.notBefore));", ""],
  [18, "Jobs", MARKET, "_requireNotAfter(Clock.resumeDeadline(job));\n        uint32 pausedSeconds", "uint32 pausedSeconds"],
  [19, "Jobs", INCIDENTS, "require(recent, BadLastSeen(lastSeen));", ""],
  [20, "Jobs", MARKET, "_requireAfter(deadline);", ""],
  [21, "Jobs", MARKET, "_requireAfter(Clock.disputeDeadline(job));", ""],
  [22, "Jobs", INCIDENTS, "require(watches, NotAllowed(msg.sender));", ""],
  [23, "Jobs", TERMS, ID, "keccak256(abi.encode(block.chainid, address(this), terms.renter, terms.resourceId, terms.salt))"],
  [24, "Jobs", INCIDENTS, "amount: locked - before", "amount: locked"],
  [25, "Jobs", ESCROW, "_credits[account] += Amount.unwrap(amount);", "_credits[account] += Amount.unwrap(amount);\n        TOKEN.forceApprove(account, 1);"],
  // ── disputes ─────────────────────────────────────────────────────────────────────────────────────────
  [26, "Court", SETTLEMENT, "Clock.undisputed(job, ran, time).max(bare)", "bare"],
  [27, "Court", DISPUTES, ".max(Amount.wrap(_minBond))", ""],
  [28, "Court", DISPUTES, "        _sendOrCredit(terms.renter, refunded);", "", "fast"],
  [29, "Court", REGISTRY, "resource.stake -= uint72(Amount.unwrap(taken));", "resource.stake -= uint72(Amount.unwrap(taken) * 2);"],
  [30, "Court", DISPUTES, "Settlement.earned(terms, job, ran) - returned;", "Settlement.earned(terms, job, ran);"],
  [31, "Court", DISPUTES, "if (byRenter && providerBps == BPS)", "if (byRenter && providerBps == 0)"],
  [32, "Court", DISPUTES, "require(pot != NO_AMOUNT, NothingDue());", ""],
  [33, "Court", DISPUTES, "_requireAfter(uint256(job.since()) + ANSWER_WITHIN);", ""],
  [34, "Court", DISPUTES, "evidenceCid) external restricted {", "evidenceCid) external {"],
  // ── stake and slashes ────────────────────────────────────────────────────────────────────────────────
  [35, "Stake", STAKES, "resource.stake += amount;", "resource.stake += amount + 1;"],
  [36, "Stake", REGISTRY, "resource.tied -= uint72(Amount.unwrap(terms.tie(coverSeconds)));", ""],
  [37, "Stake", SLASHES, "reserve.unbonding += fromUnbonding;", ""],
  [38, "Stake", SLASHES, "reserve.contested -= proposal.amount;", ""],
  [39, "Stake", REGISTRY, "Amount.wrap(resource.stake - resource.tied)", "Amount.wrap(resource.stake)"],
  [40, "Stake", REGISTRY, ".min(Seconds.wrap(WINDOW))", ""],
  [41, "Stake", STAKES, "uint72 free = resource.stake - resource.tied;", "uint72 free = resource.stake;"],
  [42, "Stake", STAKES, "require(block.timestamp >= reserve.availableAt, TooEarly(reserve.availableAt));", ""],
  [43, "Stake", SLASHES, "require(amount <= most, SlashTooHigh({asked: amount, most: most}));", ""],
  [44, "Stake", SLASHES, "_proposalIn(proposalId, SLASH_PROPOSED);\n            _requireAfter(proposal.contestableUntil);", "_proposalIn(proposalId, SLASH_PROPOSED);"],
  [45, "Stake", SLASHES, "_sendOrCredit(proposal.harmed, Amount.wrap(toHarmed));", "_sendOrCredit(msg.sender, Amount.wrap(toHarmed));"],
  [46, "Stake", SLASHES, "        restricted\n        returns (uint256 proposalId)", "        returns (uint256 proposalId)"],
  [47, "Stake", STAKES, "external whenNotPaused nonReentrant {", "external nonReentrant {"],
  // ── orders and reservations ──────────────────────────────────────────────────────────────────────────
  [48, "Orders", ORDERS, "spent += Amount.unwrap(locked);", "spent += 1;"],
  [49, "Orders", ORDERS, "require(Amount.unwrap(locked) <= left, OverBudget({needed: Amount.unwrap(locked), left: left}));", "left;"],
  [50, "Orders", ORDERS, "require(msg.sender == order.matcher, NotAllowed(msg.sender));", ""],
  [51, "Orders", ORDERS, 'require(terms.minCharge <= order.maxMinCharge, BadOrder("maxMinCharge"));', ""],
  [52, "Orders", ORDERS, "_requireNotAfter(order.expiry);", ""],
  [53, "Orders", SIGNED, "require(signed, BadSignature(signer));", "signed;"],
  [54, "Orders", ORDERS, "bool free = later || resource.flags & BUSY == 0;", "bool free = true;"],
  [55, "Orders", MARKET, " && block.timestamp < terms.notBefore + CANCEL_FEE_WITHIN", ""],
  [56, "Orders", MARKET, "_sendToProvider(_providerOf(terms.resourceId), owed - fee);", "_sendToProvider(_providerOf(terms.resourceId), owed);"],
  [57, "Orders", REGISTRY, "return later && listed && _isWatcher[terms.controller];", "return later && listed;"],
  [58, "Orders", TERMS, ID, "keccak256(abi.encode(block.chainid, address(this), terms.renter, terms.resourceId, terms.maxDuration))"],
  [59, "Orders", MARKET, "        _bookFee(fee);\n        emit JobCancelled", "        emit JobCancelled"],
  [60, "Orders", ORDERS, "_pull({payer: order.renter, amount: locked});", ""],
  // ── channels ─────────────────────────────────────────────────────────────────────────────────────────
  [61, "Channels", CHANNELS, "channel.balance = uint112(balance);", "channel.balance = uint112(balance + 1);", "fast"],
  [62, "Channels", CHANNELS, "if (row.totalClaimed > row.voucher.maxClaimableAmount) return ClaimExceedsCeiling.selector;", ""],
  [63, "Channels", CHANNELS, "require(amount <= _unclaimed(channel), WithdrawAmountExceedsAvailable());", ""],
  [64, "Channels", CHANNELS, "receivers[receiver][token].totalSettled = account.totalClaimed;", ""],
  [65, "Channels", CHANNELS, "channel.balance -= uint112(refunded);", ""],
  [66, "Channels", CHANNELS, "require(block.timestamp >= due, WithdrawDelayNotElapsed());", "due;"],
  [67, "Channels", CHANNELS, "require(_isReceiverSide(config), NotAuthorizedToRefund());", ""],
  [68, "Channels", CHANNELS, "++channel.refunds;", ""],
  [69, "Channels", CHANNELS, "if (reason != 0) emit ClaimSkipped(channelId, reason);", "if (reason != 0) revert InvalidSignature();"],
  // ── deposits and tills ───────────────────────────────────────────────────────────────────────────────
  [70, "Deposits", DEPOSITS, "account.send({token: TOKEN, to: address(this), amount: needed});\n        MARKET.createJob(terms);\n        if (excess != 0) account.send({token: TOKEN, to: terms.renter, amount: excess});", "account.send({token: TOKEN, to: address(this), amount: balance});\n        MARKET.createJob(terms);"],
  [71, "Deposits", DEPOSITS, "if (excess != 0) account.send({token: TOKEN, to: terms.renter, amount: excess});", ""],
  [72, "Deposits", DEPOSITS, "account.send({token: token, to: terms.renter, amount: amount});", "account.send({token: token, to: msg.sender, amount: amount});"],
  [73, "Deposits", DEPOSITS, "MARKET.createJob(terms);", ""],
  [74, "Deposits", DEPOSITS, "require(balance < _locked(terms) || !MARKET.canCreate(terms), DepositSweepable(jobId));", ""],
  [75, "Deposits", DEPOSITS, "require(balance >= needed, DepositShort({needed: needed, found: balance}));", "if (balance < needed) return jobId;"],
  [76, "Deposits", ACCOUNT, "require(msg.sender == FACTORY, OnlyFactory(msg.sender));", ""],
  [77, "Deposits", TILL, " + paid.provider + paid.fee;", " + paid.provider;"],
  [78, "Deposits", TILL, "Math.saturatingSub(total - fee, paid.provider)", "Math.saturatingSub(total, paid.provider)"],
  [79, "Deposits", TILL, "uint256 fee = total * feeBps / BPS;", "uint256 fee = (total - paid.provider - paid.fee) * feeBps / BPS + paid.fee;"],
  [80, "Deposits", TILL, "require(msg.sender == address(FACTORY), OnlyFactory(msg.sender));", "", "fast"],
  [81, "Deposits", WALLET, "require(amount != 0, NothingToDeposit());", ""],
];
